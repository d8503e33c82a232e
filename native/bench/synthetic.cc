#include "bench/synthetic.h"

#include <cmath>
#include <random>

#include "base/pool.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

void fill_normal(View v, uint64_t seed, float scale, ThreadPool& pool) {
  pool.parallel_for(v.rows, [&](size_t r) {
    std::mt19937_64 random(seed * 1000003 + r);
    std::normal_distribution<float> normal(0, scale);
    for (size_t j = 0; j < v.columns; ++j) v(r, j) = normal(random);
  });
}

}  // namespace

SyntheticLinear synthetic_linear(size_t rows, size_t columns, uint64_t seed, ThreadPool& pool) {
  SyntheticLinear out{Matrix(rows, columns), Matrix(columns, columns)};
  fill_normal(out.weight.view(), seed, 0.02f, pool);
  std::mt19937_64 random(seed + 1);
  std::normal_distribution<float> normal;
  for (size_t r = 0; r < rows; ++r) out.weight(r, random() % columns) *= 6;  // outliers

  const size_t tokens = columns + columns / 2, rank = 16;
  Matrix x(tokens, columns), factors(tokens, rank), mixing(rank, columns);
  fill_normal(x.view(), seed + 2, 1, pool);
  fill_normal(factors.view(), seed + 3, 1, pool);
  fill_normal(mixing.view(), seed + 4, 0.7f, pool);
  gemm(1, factors.view(), mixing.view(), 1, x.view(), pool);
  std::vector<float> channel(columns);
  for (float& c : channel) c = std::exp(0.5f * normal(random));
  pool.parallel_for(tokens, [&](size_t t) {
    for (size_t j = 0; j < columns; ++j) x(t, j) *= channel[j];
  });
  add_gram(2.0f / 8, x.view(), out.hessian.view(), pool);
  return out;
}

}  // namespace signum
