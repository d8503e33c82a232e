// signum-rc on the card: signs of one block with the same inputs, output errors of layers, and the golden
// ones.
#include <doctest/doctest.h>

#include "both_ends.h"

using namespace signum;

namespace {

Recipe recipe_of(double second, double third, size_t blocksize, bool column_scales, DType type = DType::F32) {
  Recipe recipe;
  recipe.method = Method::SignumRc;
  recipe.second_plane = second;
  recipe.third_plane = third;
  recipe.blocksize = blocksize;
  recipe.column_scales = column_scales;
  recipe.descending_order = true;
  recipe.scale_type = type;
  return recipe;
}

constexpr std::pair<double, double> kPlaneShares[] = {{0, 0}, {0.3, 0}, {1, 0}, {0.6, 0.2}, {1, 1}};

}  // namespace

TEST_CASE("signum-rc's output error is at most 1 % above the golden one") {
  for (const char* layer : golden::kLayers) {
    const auto file = golden::open_layer(layer);
    for (const golden::Case& c : golden::signum_cases()) {
      CAPTURE(layer);
      CAPTURE(c.key);
      const golden::Outcome outcome = compare_on_card(*file, c);
      CHECK(outcome.ours.output <= 1.01 * outcome.golden.output);
      CHECK(outcome.ours.output > 0);
    }
  }
}

// More rows than unknowns, so that the scales are determined; without the constant row, whose second and
// third planes are signs of rounding errors.
TEST_CASE("signum-rc with every option: a block has the CPU's signs") {
  Problem p = special_problem(500, 64, 1);
  for (size_t j = 0; j < 64; ++j) p.weight(2, j) *= j % 3 ? 1.0f : -0.5f;
  for (const auto& [second, third] : kPlaneShares)
    for (const bool column_scales : {true, false}) {
      CAPTURE(second);
      CAPTURE(third);
      CAPTURE(column_scales);
      const BothEnds both(recipe_of(second, third, 128, column_scales), p);
      CHECK(both.same_layout());
      CHECK(both.same_bits() >= 0.999);
      CHECK(both.error_ratio() == doctest::Approx(1).epsilon(0.01));
    }
}

TEST_CASE("signum-rc of whole layers, all storage types and widths of blocks") {
  DType type = DType::F16;
  size_t blocksize = 32;
  for (const auto& [second, third] : kPlaneShares) {
    CAPTURE(second);
    CAPTURE(third);
    const BothEnds both(recipe_of(second, third, blocksize, true, type), special_problem(120, 301, 2));
    type = type == DType::F16 ? DType::F32 : type == DType::F32 ? DType::BF16 : DType::F16;
    blocksize = blocksize == 256 ? 32 : blocksize * 2;
    CHECK(both.same_layout());
    CHECK(both.error_ratio() == doctest::Approx(1).epsilon(0.01));
  }
}

TEST_CASE("signum-rc without refits, and of more rows than one product sums") {
  Recipe recipe = recipe_of(1, 0, 64, true);
  recipe.refits = 0;
  CHECK(BothEnds(recipe, special_problem(40, 90, 3)).same_bits() >= 0.999);
  recipe.refits = 1;
  recipe.descending_order = false;
  const BothEnds both(recipe, special_problem(530, 40, 4));
  CHECK(both.same_layout());
  CHECK(both.same_bits() >= 0.999);
}

TEST_CASE("signum-rc in both orders of threads") {
  Recipe recipe = recipe_of(0.6, 0.3, 64, true, DType::F16);
  recipe.refits = 1;
  const Problem p = special_problem(40, 100, 5);
  PackedLinear first;
  in_both_orders([&] {
    BothEnds both(recipe, p);
    if (!first.tensors.empty()) CHECK(same(first, both.card));
    first = std::move(both.card);
  });
}
