#pragma once

#include <cstdint>
#include <random>

#include "base/matrix.h"
#include "base/pool.h"
#include "math/linear_algebra.h"

namespace signum {

// A linear and the Hessian of inputs that have something in common.
struct Problem {
  Matrix weight, hessian;
};

inline Problem random_problem(size_t rows, size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Problem p{Matrix(rows, columns), Matrix(columns, columns)};
  for (size_t i = 0; i < p.weight.size(); ++i) p.weight.data()[i] = 0.05f * normal(random);
  Matrix x(columns + 30, columns);
  for (size_t t = 0; t < x.rows(); ++t) {
    const float common = normal(random);
    for (size_t j = 0; j < columns; ++j) x(t, j) = (normal(random) + common) * (0.3f + float(j % 7));
  }
  ThreadPool pool(1);
  add_gram(0.1f, x.view(), p.hessian.view(), pool);
  return p;
}

// Columns of different size, so that some of them are salient.
inline Problem uneven_problem(size_t rows, size_t columns, uint64_t seed) {
  Problem p = random_problem(rows, columns, seed);
  for (size_t i = 0; i < p.weight.size(); ++i) p.weight.data()[i] *= 1 + float(i % columns % 11);
  return p;
}

}  // namespace signum
