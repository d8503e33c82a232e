// What ARB-LLM promises of its refinement (arXiv 2410.03129), and what FORMAT.md promises of the planes.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/pool.h"
#include "math/linear_algebra.h"
#include "methods/quantize.h"

using namespace signum;

namespace {

struct Problem {
  Matrix weight, hessian;
};

Problem random_problem(size_t rows, size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Problem p{Matrix(rows, columns), Matrix(columns, columns)};
  for (size_t i = 0; i < p.weight.size(); ++i)
    p.weight.data()[i] = 0.05f * normal(random) * (1 + float(i % columns % 11));
  Matrix x(columns + 30, columns);
  for (size_t t = 0; t < x.rows(); ++t) {
    const float common = normal(random);
    for (size_t j = 0; j < columns; ++j) x(t, j) = (normal(random) + common) * (0.3f + float(j % 7));
  }
  ThreadPool pool(1);
  add_gram(0.1f, x.view(), p.hessian.view(), pool);
  return p;
}

std::vector<Recipe> recipes(Method method) {
  std::vector<Recipe> out;
  for (const bool bitmap : {false, true})
    for (const Salience salience : {Salience::Hessian, Salience::Magnitude}) {
      Recipe recipe;
      recipe.method = method;
      recipe.scale_type = DType::F32;
      recipe.column_group_bitmap = bitmap;
      recipe.salience = salience;
      out.push_back(recipe);
    }
  return out;
}

PackedLinear packed(const Recipe& recipe, const Problem& p, ThreadPool& pool) {
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  return quantize(recipe, p.weight.clone(), &factor, pool).value();
}

bool bit(const PackedTensor& plane, size_t row, size_t column) {
  return plane.bytes[row * plane.shape.back() + column / 8] >> (column & 7) & 1;
}

}  // namespace

TEST_CASE("arb: the error never rises from one iteration to the next") {
  ThreadPool pool(2);
  for (const uint64_t seed : {1, 2, 3})
    for (Recipe recipe : recipes(Method::Arb)) {
      const Problem p =
          random_problem(67, 128, seed);  // one block: the masks do not depend on the iterations
      double before = 0, first = 0;
      for (recipe.iterations = 0; recipe.iterations <= 15; ++recipe.iterations) {
        CAPTURE(seed);
        CAPTURE(recipe.iterations);
        const Matrix decoded = decode(packed(recipe, p, pool), pool).value();
        const double error = linear_errors(p.weight, decoded, nullptr, pool).weight;
        if (recipe.iterations == 0)
          first = error;
        else
          CHECK(error <= before * (1 + 1e-6));
        before = error;
      }
      CHECK(before < first * 0.999);
    }
}

TEST_CASE("arb: the bits can be read out of the decoded weights, and are the stored ones") {
  ThreadPool pool(2);
  const Problem p = random_problem(21, 173, 4);
  for (const Recipe& recipe : recipes(Method::Arb)) {
    const PackedLinear linear = packed(recipe, p, pool);
    const Matrix decoded = decode(linear, pool).value();
    const size_t rows = decoded.rows(), columns = decoded.columns();
    const std::vector<std::string> roles = recipe.column_group_bitmap
                                               ? std::vector<std::string>{"sign", "plane2", "plane3"}
                                               : std::vector<std::string>{"sign", "plane2"};
    // All planes filled with one bit each: what every weight would be with these bits.
    std::vector<size_t> choices(rows * columns), chosen(rows * columns);
    for (size_t choice = 0; choice < size_t(1) << roles.size(); ++choice) {
      PackedLinear trial = linear;
      for (PackedTensor& tensor : trial.tensors)
        for (size_t b = 0; b < roles.size(); ++b)
          if (tensor.role == roles[b])
            std::fill(tensor.bytes.begin(), tensor.bytes.end(), uint8_t(choice >> b & 1 ? 255 : 0));
      const Matrix values = decode(trial, pool).value();
      for (size_t i = 0; i < rows * columns; ++i)
        if (values.data()[i] == decoded.data()[i]) {
          ++choices[i];
          chosen[i] = choice;
        }
    }
    size_t certain = 0;
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0, rank = 0; j < columns; ++j) {
        const bool salient = bit(*linear.find("salient"), 0, j), third = salient && roles.size() == 3;
        const size_t at = i * columns + j, column[] = {j, j, rank};
        rank += salient;
        // A weight without a third bit does not change with it.
        REQUIRE(choices[at] >= (third || roles.size() == 2 ? 1 : 2));
        if (choices[at] > (third || roles.size() == 2 ? 1 : 2)) continue;  // a scale of zero
        ++certain;
        for (size_t b = 0; b < (third ? 3 : 2); ++b)
          CHECK(bool(chosen[at] >> b & 1) == bit(*linear.find(roles[b]), i, column[b]));
      }
    CHECK(certain > rows * columns * 9 / 10);
  }
}
