// Products straight from packed tensors against the decoder's dense weights.
#include <doctest/doctest.h>

#include "kernels/targets.h"
// After it: the targets of the kernels.
#include <hwy/targets.h>

#include <cmath>
#include <cstring>
#include <random>

#include "kernels/packed_product.h"
#include "tests/all_recipes.h"

using namespace signum;

namespace {

std::vector<float> random_input(size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(columns);
  for (float& value : x) value = normal(random);
  return x;
}

// Largest |y - W x| over sum |w x| of all tokens and rows.
double worst_error(const Matrix& dense, const Matrix& x, const Matrix& y) {
  double worst = 0;
  for (size_t t = 0; t < x.rows(); ++t)
    for (size_t r = 0; r < dense.rows(); ++r) {
      double sum = 0, size = 1e-30;
      for (size_t j = 0; j < dense.columns(); ++j) {
        const double product = double(dense(r, j)) * double(x(t, j));
        sum += product, size += std::abs(product);
      }
      worst = std::max(worst, std::abs(double(y(t, r)) - sum) / size);
    }
  return worst;
}

// Every supported target's product of a packed linear against the decoder's.
void check_products(const Recipe& recipe, const Problem& p, const std::vector<float>& x, ThreadPool& pool) {
  const auto packed = run(recipe, p, pool);
  REQUIRE(packed.ok());
  const auto dense = decode(packed.value(), pool);
  REQUIRE(dense.ok());
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    CAPTURE(std::string(hwy::TargetName(target)));
    for (const size_t tokens : {1, 2, 7}) {
      Matrix inputs(tokens, x.size()), outputs(tokens, p.weight.rows());
      for (size_t t = 0; t < tokens; ++t)
        for (size_t j = 0; j < x.size(); ++j) inputs(t, j) = x[(j + t) % x.size()];
      outputs.view()(0, 0) = 1;
      multiply(view_of(packed.value()), inputs.view(), 0.0f, outputs.view(), pool);
      CHECK(worst_error(dense.value(), inputs, outputs) < 1e-5);
      const Matrix once = outputs.clone();
      multiply(view_of(packed.value()), inputs.view(), 1.0f, outputs.view(), pool);
      for (size_t k = 0; k < once.size(); ++k)
        CHECK(outputs.data()[k] == doctest::Approx(2 * double(once.data()[k])).epsilon(1e-5));
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

}  // namespace

TEST_CASE(
    "a product from any layout equals the decoder's, at any shape, with every scale type, on every target") {
  ThreadPool pool(2);
  const std::pair<size_t, size_t> shapes[] = {{1, 1},    {1, 40},   {33, 1},  {3, 2},
                                              {17, 129}, {70, 172}, {16, 300}};
  for (const auto& [rows, columns] : shapes)
    for (const DType type : {DType::F16, DType::F32, DType::BF16}) {
      const Problem p = random_problem(rows, columns, rows * 1000 + columns);
      const std::vector<float> x = random_input(columns, rows + columns);
      for (const auto& [name, recipe] : all_recipes(type)) {
        CAPTURE(name);
        CAPTURE(rows);
        CAPTURE(columns);
        check_products(recipe, p, x, pool);
      }
    }
}

TEST_CASE("a product has the same bytes for any number of threads") {
  ThreadPool one(1), three(3);
  const Problem p = random_problem(600, 160, 9);
  for (const auto& [name, recipe] : all_recipes()) {
    CAPTURE(name);
    const PackedLinear packed = run(recipe, p, one).value();
    for (const size_t tokens : {1, 9}) {
      Matrix x(tokens, 160), a(tokens, 600), b(tokens, 600);
      const std::vector<float> values = random_input(x.size(), tokens);
      std::copy(values.begin(), values.end(), x.data());
      multiply(view_of(packed), x.view(), 0.0f, a.view(), one);
      multiply(view_of(packed), x.view(), 0.0f, b.view(), three);
      CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("a product where blocks and groups do not begin at whole bytes") {
  ThreadPool pool(2);
  const Problem p = random_problem(70, 171, 5);
  const std::vector<float> x = random_input(171, 6);
  for (const auto& [name, recipe] : ragged_recipes()) {
    CAPTURE(name);
    check_products(recipe, p, x, pool);
  }
}
