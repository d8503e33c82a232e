// fdb on the card: the CPU's bytes without propagation, its errors with it.
#include <doctest/doctest.h>

#include "both_ends.h"

using namespace signum;

namespace {

Recipe recipe_of(StepRule rule, long group, bool propagation, DType type) {
  Recipe recipe;
  recipe.method = Method::Fdb;
  recipe.step_rule = rule;
  recipe.group = group;
  recipe.propagation = propagation;
  recipe.scale_type = type;
  return recipe;
}

constexpr StepRule kRules[] = {StepRule::Max, StepRule::Search, StepRule::Hessian};
constexpr DType kTypes[] = {DType::F16, DType::F32, DType::BF16};

}  // namespace

TEST_CASE("fdb without propagation gives the CPU's bytes with every option") {
  const Problem p = special_problem(45, 150, 1);
  for (const StepRule rule : kRules)
    for (const DType type : kTypes)
      for (const long group : {32L, 50L, 128L}) {
        CAPTURE(int(rule));
        CAPTURE(group);
        const BothEnds both(recipe_of(rule, group, false, type), p);
        CHECK(both.same_layout());
        CHECK(same(both.cpu, both.card));
      }
}

TEST_CASE("fdb with propagation: one block has the CPU's bytes, a layer its output error") {
  for (const StepRule rule : kRules)
    for (const DType type : kTypes) {
      CAPTURE(int(rule));
      const BothEnds block(recipe_of(rule, 64, true, type), special_problem(45, 60, 2));
      CHECK(block.same_layout());
      CHECK(block.same_bits() == 1);
      const BothEnds layer(recipe_of(rule, 32, true, type), special_problem(64, 150, 3));
      CHECK(layer.same_layout());
      CHECK(layer.same_bits() >= 0.999);
      CHECK(layer.error_ratio() == doctest::Approx(1).epsilon(0.01));
    }
}

TEST_CASE("fdb in both orders of threads") {
  const Problem p = special_problem(40, 100, 4);
  in_both_orders([&] {
    CHECK(same(BothEnds(recipe_of(StepRule::Search, 64, false, DType::F16), p).cpu,
               BothEnds(recipe_of(StepRule::Search, 64, false, DType::F16), p).card));
  });
}
