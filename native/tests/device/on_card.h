// Matrices of tests on the card and back, and how far two are apart.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/matrix.h"
#include "both_orders.h"
#include "cuda/card.h"
#include "cuda/matrix.h"
#include "device.h"

namespace signum {

inline cuda::Card test_card() {
  static auto* blas = new cuda::Blas(test_device(), {});  // the device ends before what is static does
  return {test_device(), *blas};
}

inline Matrix random_matrix(size_t rows, size_t columns, uint32_t seed, float spread = 1) {
  std::mt19937 source(seed);
  std::normal_distribution<float> normal(0, spread);
  Matrix made(rows, columns);
  for (size_t i = 0; i < made.size(); ++i) made.data()[i] = normal(source);
  return made;
}

inline cuda::DeviceMatrix on_card(const Matrix& matrix) {
  return cuda::DeviceMatrix::of(test_device(), matrix.view(), "a test");
}
inline Matrix from_card(const cuda::DeviceMatrix& matrix) { return matrix.download(test_device()); }

// Largest difference, as a share of the largest number of `expected`; NaN where one is.
inline double apart(ConstView got, ConstView expected) {
  REQUIRE(got.rows == expected.rows);
  REQUIRE(got.columns == expected.columns);
  double difference = 0, largest = 0;
  for (size_t r = 0; r < got.rows; ++r)
    for (size_t c = 0; c < got.columns; ++c) {
      const double d = std::abs(double(got(r, c)) - double(expected(r, c)));
      if (!(d == d)) return d;
      difference = std::max(difference, d);
      largest = std::max(largest, std::abs(double(expected(r, c))));
    }
  return largest > 0 ? difference / largest : difference;
}
inline double apart(const Matrix& got, const Matrix& expected) { return apart(got.view(), expected.view()); }

}  // namespace signum
