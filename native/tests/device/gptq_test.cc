// gptq on the card: the golden weights, one block with the CPU's codes, whole layers with its output error.
#include <doctest/doctest.h>

#include "both_ends.h"

using namespace signum;

namespace {

Recipe recipe_of(int bits, long group, bool symmetric, bool clip_search, bool ordered,
                 DType type = DType::F32) {
  Recipe recipe;
  recipe.method = Method::Gptq;
  recipe.bits = bits;
  recipe.group = group;
  recipe.symmetric = symmetric;
  recipe.clip_search = clip_search;
  recipe.descending_order = ordered;
  recipe.scale_type = type;
  return recipe;
}

}  // namespace

TEST_CASE("gptq equals the golden weights but for rounding ties") {
  check_but_for_ties(golden::gptq_cases());
}

TEST_CASE("gptq with every option: a block has the CPU's codes") {
  const Problem p = special_problem(37, 120, 1);
  for (const int bits : {2, 3, 4, 8})
    for (const long group : {-1L, 8L, 50L})
      for (const bool symmetric : {false, true})
        for (const bool clip_search : {false, true}) {
          CAPTURE(bits);
          CAPTURE(group);
          CAPTURE(symmetric);
          CAPTURE(clip_search);
          const BothEnds both(recipe_of(bits, group, symmetric, clip_search, bits == 3), p);
          CHECK(both.same_layout());
          CHECK(both.error_ratio() == doctest::Approx(1).epsilon(0.01));
          CHECK(both.same_bits() >= 0.999);
        }
}

TEST_CASE("gptq of whole layers, all storage types and widths of blocks") {
  const Problem p = special_problem(67, 341, 2);
  size_t blocksize = 32;
  for (const DType type : {DType::F16, DType::F32, DType::BF16})
    for (const long group : {-1L, 32L, 200L}) {
      CAPTURE(group);
      Recipe recipe = recipe_of(3, group, false, false, group == 32, type);
      recipe.blocksize = blocksize;
      blocksize = blocksize == 256 ? 32 : blocksize * 2;
      const BothEnds both(recipe, p);
      CHECK(both.same_layout());
      CHECK(both.same_bits() >= 0.999);
      CHECK(both.error_ratio() == doctest::Approx(1).epsilon(0.01));
    }
}

TEST_CASE("gptq with groups wider than a row's registers") {
  const Problem p = special_problem(24, 700, 3);
  for (const long group : {300L, 600L})
    for (const bool clip_search : {false, true}) {
      CAPTURE(group);
      const BothEnds both(recipe_of(2, group, false, clip_search, false), p);
      CHECK(both.same_layout());
      CHECK(both.same_bits() >= 0.999);
      CHECK(both.error_ratio() == doctest::Approx(1).epsilon(0.01));
    }
}

TEST_CASE("gptq in both orders of threads") {
  const Problem p = special_problem(20, 150, 4);
  const Recipe recipe = recipe_of(3, 32, false, true, true);
  PackedLinear first;
  in_both_orders([&] {
    BothEnds both(recipe, p);
    if (!first.tensors.empty()) CHECK(same(first, both.card));
    first = std::move(both.card);
  });
}

TEST_CASE("gptq with the factor that the card made itself") {
  const Problem p = special_problem(40, 150, 5);
  const Recipe recipe = recipe_of(3, 64, false, false, true);
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  const cuda::DeviceFactor factor = cuda::factorize(card, on_card(p.hessian), factor_options(recipe));
  const PackedLinear linear = cuda::quantize(card, recipe, on_card(p.weight), &factor);
  const BothEnds both(recipe, p);
  ThreadPool pool(1);
  const Matrix values = decode(linear, pool).value();
  const double ratio = linear_errors(p.weight, values, &p.hessian, pool).output / both.cpu_errors.output;
  CHECK(ratio == doctest::Approx(1).epsilon(0.01));
  CHECK(*linear.order == *both.cpu.order);
}
