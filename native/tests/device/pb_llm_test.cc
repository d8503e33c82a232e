// pb-llm on the card: the CPU's mask and levels to the byte, golden weights, output errors.
#include <doctest/doctest.h>

#include "both_ends.h"

using namespace signum;

namespace {

Recipe recipe_of(double share, int bits, long group, Salience salience, MeanRule rule,
                 DType type = DType::F32) {
  Recipe recipe;
  recipe.method = Method::PbLlm;
  recipe.salient_share = share;
  recipe.bits = bits;
  recipe.group = group;
  recipe.salience = salience;
  recipe.mean_rule = rule;
  recipe.scale_type = type;
  return recipe;
}

void check_ends(const BothEnds& both) {
  CHECK(both.same_layout());
  CHECK(both.same_bits() >= 0.999);
  CHECK(both.error_ratio() == doctest::Approx(1).epsilon(0.01));
  // All that is fixed before the first error is passed on.
  for (const char* role :
       {"salient_count", "mask", "mask_low", "mask_high", "mean", "scale", "code_scale", "code_zero"}) {
    CAPTURE(role);
    const PackedTensor *cpu = both.cpu.find(role), *card = both.card.find(role);
    CHECK(!cpu == !card);
    if (cpu && card) CHECK(cpu->bytes == card->bytes);
  }
}

}  // namespace

TEST_CASE("pb-llm equals the golden weights but for rounding ties") {
  check_but_for_ties(golden::pb_llm_cases());
}

TEST_CASE("pb-llm with every option: salient weights, means and scales are the CPU's") {
  const Problem p = special_problem(45, 150, 1);
  DType type = DType::F16;
  for (const double share : {0.01, 0.1, 0.5})
    for (const int bits : {4, 8})
      for (const long group : {-1L, 8L, 100L})
        for (const Salience salience : {Salience::Hessian, Salience::Magnitude})
          for (const MeanRule rule : {MeanRule::Published, MeanRule::LeastSquares}) {
            CAPTURE(share);
            CAPTURE(bits);
            CAPTURE(group);
            type = type == DType::F16 ? DType::F32 : type == DType::F32 ? DType::BF16 : DType::F16;
            check_ends(BothEnds(recipe_of(share, bits, group, salience, rule, type), p));
          }
}

TEST_CASE("pb-llm of long rows; ties go to the lower row, then column") {
  Problem p = special_problem(33, 460, 2);
  check_ends(BothEnds(recipe_of(0.1, 8, -1, Salience::Hessian, MeanRule::Published), p));
  for (size_t i = 0; i < p.weight.size(); ++i)  // few sizes: many ties
    p.weight.data()[i] = float(int(i * 2654435761u >> 16) % 5 - 2) / 4;
  for (const long group : {-1L, 100L})
    check_ends(BothEnds(recipe_of(0.3, 8, group, Salience::Magnitude, MeanRule::LeastSquares), p));
}

TEST_CASE("pb-llm in both orders of threads") {
  const Problem p = special_problem(40, 140, 3);
  const Recipe recipe = recipe_of(0.1, 8, 64, Salience::Hessian, MeanRule::Published, DType::F16);
  PackedLinear first;
  in_both_orders([&] {
    BothEnds both(recipe, p);
    if (!first.tensors.empty()) CHECK(same(first, both.card));
    first = std::move(both.card);
  });
}
