// billm, arb, arb-x and arb-rc on the card: the golden weights, and the CPU's results from the same inputs.
#include "cuda/methods/grouped.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <tuple>

#include "device_factor.h"
#include "methods/packed_view.h"
#include "tests/all_recipes.h"
#include "tests/golden_cases.h"

using namespace signum;

namespace {

PackedLinear on_device(const Recipe& recipe, const Matrix& weight, const Factor& factor) {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  return cuda::quantize_grouped(card, recipe, on_card(weight), on_card(factor));
}

std::vector<std::pair<std::string, Recipe>> grouped_recipes(DType scale_type) {
  std::vector<std::pair<std::string, Recipe>> out;
  for (auto& [name, recipe] : all_recipes(scale_type))
    if (has_salient_columns(recipe.method)) out.emplace_back(name, recipe);
  return out;
}

// Bits that two tensors do not share.
size_t bits_apart(const PackedTensor& a, const PackedTensor& b) {
  REQUIRE(a.bytes.size() == b.bytes.size());
  size_t count = 0;
  for (size_t i = 0; i < a.bytes.size(); ++i)
    count += size_t(std::popcount(unsigned(a.bytes[i] ^ b.bytes[i])));
  return count;
}

// A linear quantized on both: the same layout, salient columns and groups, and weights that differ by no more
// than the golden ones may. Where a part has one weight a row, every split of it leaves nothing but rounding,
// and so does the first order for the second: with `decided` false groups and second signs may differ.
void check_same(const Recipe& recipe, const Problem& p, bool decided = true) {
  ThreadPool pool(2);
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  const PackedLinear expected = quantize(recipe, p.weight.clone(), &factor, pool).value();
  const PackedLinear got = on_device(recipe, p.weight, factor);
  REQUIRE(layout_to_json(got.layout) == layout_to_json(expected.layout));
  REQUIRE(got.tensors.size() == expected.tensors.size());
  for (size_t i = 0; i < got.tensors.size(); ++i) {
    const PackedTensor &a = got.tensors[i], &b = expected.tensors[i];
    CAPTURE(b.role);
    REQUIRE(a.role == b.role);
    CHECK(a.dtype == b.dtype);
    CHECK(a.shape == b.shape);
    if (b.dtype == DType::U8 && (decided || b.role == "sign" || b.role == "salient"))
      CHECK(bits_apart(a, b) == 0);
  }
  CHECK(apart(decode(got, pool).value(), decode(expected, pool).value()) <= 2e-5);
}

}  // namespace

TEST_CASE("billm and arb on the card equal the golden weights") {
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  size_t compared = 0;
  for (const char* layer : golden::kLayers) {
    const auto file = golden::open_layer(layer);
    for (const golden::Case& c : golden::exact_cases()) {
      if (!has_salient_columns(c.recipe.method)) continue;
      CAPTURE(layer);
      CAPTURE(c.key);
      const auto outcome =
          golden::compare(*file, c, [&](const Recipe& recipe, const Matrix& weight, const Matrix& hessian) {
            const cuda::DeviceFactor factor = cuda::factorize(card, on_card(hessian), factor_options(recipe));
            return cuda::quantize_grouped(card, recipe, on_card(weight), factor);
          });
      CHECK(outcome.worst <= 2e-5);
      ++compared;
    }
  }
  CHECK(compared == 24);
}

TEST_CASE("one block is what the CPU makes of it, in every layout") {
  const Problem p = uneven_problem(67, 64, 1), wide = uneven_problem(37, 128, 2);
  for (const auto& [name, recipe] : grouped_recipes(DType::F32)) {
    CAPTURE(name);
    in_both_orders([&] { check_same(recipe, recipe.blocksize < 128 ? p : wide); });
  }
}

TEST_CASE("dead columns, constant and zero rows, and shapes that no tile divides") {
  struct Shape {
    size_t rows, columns, blocksize;
  };
  for (const auto& [rows, columns, blocksize] : {Shape{33, 131, 50}, {5, 70, 32}, {70, 300, 256}}) {
    Problem p = uneven_problem(rows, columns, rows);
    for (const size_t dead : {size_t(0), size_t(17), size_t(64)})
      for (size_t j = 0; j < columns; ++j) p.hessian(dead, j) = p.hessian(j, dead) = 0;
    for (size_t j = 0; j < columns; ++j) {
      p.weight(1, j) = 0;
      p.weight(2, j) = 0.25f;
    }
    for (const auto& [method, salience, splits] : {std::tuple(Method::BiLLM, Salience::Hessian, 1),
                                                   {Method::Arb, Salience::Hessian, 2},
                                                   {Method::ArbX, Salience::Magnitude, 1},
                                                   {Method::ArbX, Salience::Hessian, 1},
                                                   {Method::ArbRc, Salience::Hessian, 1}}) {
      Recipe recipe;
      recipe.method = method;
      recipe.salience = salience;
      recipe.splits = size_t(splits);
      recipe.blocksize = blocksize;
      recipe.scale_type = DType::BF16;
      CAPTURE(method_id(method));
      CAPTURE(int(salience));
      CAPTURE(rows);
      ThreadPool pool(2);
      const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
      const PackedLinear linear = on_device(recipe, p.weight, factor);
      REQUIRE(check_view(view_of(linear), pool).ok());
      const Matrix decoded = decode(linear, pool).value();
      for (size_t i = 0; i < decoded.size(); ++i) REQUIRE(std::isfinite(decoded.data()[i]));
      const PackedLinear expected = quantize(recipe, p.weight.clone(), &factor, pool).value();
      CHECK(layout_to_json(linear.layout) == layout_to_json(expected.layout));
      const double ours = linear_errors(p.weight, decoded, &p.hessian, pool).output;
      const double theirs = linear_errors(p.weight, decode(expected, pool).value(), &p.hessian, pool).output;
      CHECK(ours == doctest::Approx(theirs).epsilon(1e-3));
      CHECK(same(linear, on_device(recipe, p.weight, factor)));
    }
  }
}

TEST_CASE("few columns, few salient ones, no iterations") {
  for (const auto& [columns, most, iterations] :
       {std::tuple(1, 50, 15), {2, 50, 15}, {40, 2, 15}, {40, 256, 15}, {40, 50, 0}}) {
    const Problem p = uneven_problem(20, size_t(columns), 3);
    for (const Method method : {Method::BiLLM, Method::Arb, Method::ArbX, Method::ArbRc})
      for (const bool bitmap : {false, true}) {
        Recipe recipe;
        recipe.method = method;
        recipe.scale_type = DType::F32;
        recipe.max_salient = size_t(most);
        recipe.iterations = iterations;
        recipe.column_group_bitmap = bitmap;
        CAPTURE(method_id(method));
        CAPTURE(columns);
        CAPTURE(most);
        CAPTURE(iterations);
        CAPTURE(bitmap);
        in_both_orders([&] { check_same(recipe, p, columns > 2); });
      }
  }
}
