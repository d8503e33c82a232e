// What ARB-LLM promises of its refinement (arXiv 2410.03129).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/pool.h"
#include "math/linear_algebra.h"
#include "methods/arb_kernels.h"
#include "methods/calibrated_fit.h"
#include "methods/calibrated_split.h"
#include "methods/quantize.h"
#include "methods/tiles.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

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

// x^T S x, F64.
double quadratic(const std::vector<double>& x, const Matrix& s) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j) sum += x[i] * double(s(i, j)) * x[j];
  return sum;
}

// A tile of weights, a tile of T of either kind, and S = H / 2.
struct TileProblem {
  Matrix weight, gram;
  Tiles weights, search;
};
TileProblem tile_problem(size_t rows, size_t columns, bool squared, uint64_t seed) {
  Problem p = uneven_problem(rows, columns, seed);
  for (size_t i = 0; i < p.hessian.size(); ++i) p.hessian.data()[i] *= 0.5f;
  TileProblem tile{std::move(p.weight), std::move(p.hessian), Tiles(rows, columns), Tiles(rows, columns)};
  tile.weights.load(0, tile.weight.view());
  tile.search.load(0, tile.weight.view());
  if (squared)
    for (size_t i = 0; i < columns * kTileRows; ++i) tile.search.tile(0)[i] *= tile.search.tile(0)[i];
  return tile;
}

}  // namespace

TEST_CASE("arb: the error never rises from one iteration to the next") {
  ThreadPool pool(2);
  for (const uint64_t seed : {1, 2, 3})
    for (Recipe recipe : recipes(Method::Arb)) {
      const Problem p =
          uneven_problem(67, 128, seed);  // one block: the masks do not depend on the iterations
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

TEST_CASE("arb-x: the second phase never raises a group's error weighed by S") {
  for (const uint64_t seed : {1, 2, 3})
    for (const size_t groups : {1, 2}) {
      const size_t columns = 61, salient = 14;
      const TileProblem p = tile_problem(kTileRows, columns, true, seed);
      const TileMasks masks{p.search.tile(0), columns, salient, {groups - 1, {0.05f}}, {1, {0.02f}}};
      // Of the salient groups, then of the others; of weight less its value, summed over the rows.
      const auto errors = [&](int iterations) {
        alignas(64) float mean[4 * kTileRows], scale[6 * kTileRows];
        Tiles first(kTileRows, columns), second(kTileRows, salient), value(kTileRows, columns);
        arb_fit(p.weights.tile(0), masks, 15, mean, scale, first.tile(0), second.tile(0));
        calibrated_fit(p.weights.tile(0), masks, p.gram.data(), iterations, first.tile(0), second.tile(0),
                       mean, scale);
        mean_values(masks, mean, scale, first.tile(0), second.tile(0), value.tile(0));
        std::vector<double> sums(4);
        for (size_t row = 0; row < kTileRows; ++row)
          for (size_t group = 0; group < 4; ++group) {
            std::vector<double> rest(columns);
            for (size_t j = 0; j < columns; ++j) {
              const size_t at = j * kTileRows + row;
              const float t = std::fabs(p.search.tile(0)[at]);
              const size_t its = j < salient ? (groups == 2 && t < masks.salient_splits.at[0] ? 1 : 0)
                                             : (t < masks.splits.at[0] ? 3 : 2);
              if (its == group) rest[j] = double(p.weights.tile(0)[at]) - double(value.tile(0)[at]);
            }
            sums[group] += quadratic(rest, p.gram);
          }
        return sums;
      };
      std::vector<double> before = errors(0);
      const std::vector<double> start = before;
      for (int iterations = 1; iterations <= 15; ++iterations) {
        const std::vector<double> now = errors(iterations);
        for (size_t group = 0; group < 4; ++group) {
          CAPTURE(group);
          CAPTURE(iterations);
          CHECK(now[group] <= before[group] + 1e-6 * start[group]);
        }
        before = now;
      }
      CHECK(before[2] < 0.99 * start[2]);
      CHECK(before[3] < 0.99 * start[3]);
    }
}

TEST_CASE("arb-x: the score of a split is the trace of R S R^T") {
  for (const bool squared : {false, true})
    for (const uint64_t seed : {5, 6}) {
      const size_t columns = 45, salient = 5, rows = 13;
      const int iterations = 15;
      TileProblem p = tile_problem(rows, columns, squared, seed);
      for (size_t j = 20; j < 32; ++j)  // as many zeros as dead columns bring
        for (size_t row = 0; row < kTileRows; ++row) p.search.tile(0)[j * kTileRows + row] = 0;
      const std::vector<float> thresholds = {0, 0.001f, 0.01f, 0.02f, 0.05f, 0.1f, 0.1f, 0.4f, 9};
      std::vector<double> ours(thresholds.size()), expected(thresholds.size());
      calibrated_split_errors(
          p.search.tile(0), rows,
          {columns,
           salient,
           iterations,
           p.gram.data(),
           fixed_gram(p.gram.data() + salient * columns + salient, columns - salient, columns),
           thresholds.data(),
           thresholds.size(),
           {},
           squared,
           false},
          ours.data());
      Tiles residual(kTileRows, salient);
      arb_residual(p.search.tile(0), salient, iterations, residual.tile(0));
      double largest = 0;
      for (size_t c = 0; c < thresholds.size(); ++c)
        for (size_t row = 0; row < rows; ++row) {
          std::vector<double> rest(columns);
          for (size_t j = 0; j < columns; ++j)
            rest[j] = double((j < salient ? residual : p.search).tile(0)[j * kTileRows + row]);
          const double whole = quadratic(rest, p.gram);
          const std::vector<double> t = rest;
          for (const bool sparse : {false, true}) {
            double mean = 0, alpha = 0, members = 0;
            const auto each = [&](const auto& visit) {
              for (size_t j = salient; j < columns; ++j)
                if ((std::fabs(t[j]) >= double(thresholds[c])) == sparse) visit(j);
            };
            each([&](size_t j) { mean += t[j], ++members; });
            if (members > 0) mean /= members;
            each([&](size_t j) { alpha += std::fabs(t[j] - mean) / members; });
            each([&](size_t j) { rest[j] -= mean + (t[j] >= mean ? alpha : -alpha); });
          }
          expected[c] += quadratic(rest, p.gram) - whole;
          largest = std::max(largest, whole);
        }
      for (size_t c = 0; c < thresholds.size(); ++c) {
        CAPTURE(squared);
        CAPTURE(thresholds[c]);
        CHECK(ours[c] == doctest::Approx(expected[c]).epsilon(1e-6).scale(largest));
      }
    }
}

TEST_CASE("arb-x: S is half of the undamped Hessian, block by block") {
  ThreadPool pool(2);
  Problem p = uneven_problem(3, 150, 8);
  for (size_t j = 0; j < 150; ++j) p.hessian(140, j) = p.hessian(j, 140) = 0;  // dead
  Recipe recipe;
  recipe.method = Method::ArbX;
  recipe.blocksize = 64;
  const Factor factor = factorize(p.hessian, factor_options(recipe), pool).value();
  REQUIRE(factor.blocks.size() == 3);
  for (size_t t = 0; t < 3; ++t) {
    const Matrix& block = factor.blocks[t];
    REQUIRE(block.rows() == (t < 2 ? 64 : 22));
    for (size_t i = 0; i < block.rows(); ++i)
      for (size_t j = 0; j < block.columns(); ++j) CHECK(block(i, j) == p.hessian(64 * t + i, 64 * t + j));
  }
  const Factor unseen = factorize(Matrix(70, 70), factor_options(recipe), pool).value();
  CHECK(unseen.blocks[1](5, 5) == 1);
  CHECK(unseen.blocks[1](5, 4) == 0);
  recipe.method = Method::Arb;
  CHECK(factorize(p.hessian, factor_options(recipe), pool).value().blocks.empty());
}
