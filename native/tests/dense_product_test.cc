// Products straight from stored matrices against sums in F64.
#include "kernels/dense_product.h"

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "base/half.h"
#include "base/pool.h"

using namespace signum;

namespace {

// A matrix as a file holds it, `shift` bytes behind an aligned place.
struct Stored {
  std::vector<uint8_t> bytes;
  std::vector<double> values;
  StoredMatrix matrix;

  Stored(DType dtype, size_t rows, size_t columns, size_t shift, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    const size_t width = dtype_bytes(dtype);
    bytes.resize(shift + rows * columns * width);
    for (size_t k = 0; k < rows * columns; ++k) {
      float value = normal(random) * (k % 7 == 0 ? 1e-5f : 1.0f);  // F16: some of them subnormal
      const uint16_t half = dtype == DType::F16 ? float_to_half(value) : float_to_bfloat(value);
      if (dtype != DType::F32) value = dtype == DType::F16 ? half_to_float(half) : bfloat_to_float(half);
      std::memcpy(&bytes[shift + k * width], dtype == DType::F32 ? (const void*)&value : &half, width);
      values.push_back(double(value));
    }
    matrix = {dtype, bytes.data() + shift, rows, columns};
  }
};

Matrix random_matrix(size_t rows, size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix x(rows, columns);
  for (size_t k = 0; k < x.size(); ++k) x.data()[k] = normal(random);
  return x;
}

// Largest |y - (beta * before + W x)| over the sum of the sizes of its terms.
double worst_error(const Stored& w, const Matrix& x, float beta, const Matrix& before, const Matrix& y) {
  double worst = 0;
  for (size_t t = 0; t < x.rows(); ++t)
    for (size_t r = 0; r < w.matrix.rows; ++r) {
      double sum = double(beta) * double(before(t, r)), size = std::abs(sum) + 1e-30;
      for (size_t j = 0; j < x.columns(); ++j) {
        const double product = w.values[r * x.columns() + j] * double(x(t, j));
        sum += product, size += std::abs(product);
      }
      worst = std::max(worst, std::abs(double(y(t, r)) - sum) / size);
    }
  return worst;
}

void check_product(DType dtype, size_t rows, size_t columns, size_t tokens, ThreadPool& pool) {
  for (const size_t shift : {0, 1, 2}) {
    const Stored w(dtype, rows, columns, shift, rows * 1000 + columns);
    const Matrix x = random_matrix(tokens, columns, columns), before = random_matrix(tokens, rows, tokens);
    for (const float beta : {0.0f, 1.0f}) {
      Matrix y = before.clone();
      multiply(w.matrix, x.view(), beta, y.view(), pool);
      CHECK(worst_error(w, x, beta, before, y) < 1e-5);
    }
  }
}

constexpr DType kTypes[] = {DType::F32, DType::F16, DType::BF16};

}  // namespace

TEST_CASE("a product from a stored matrix equals the exact one, at any size, alignment, type and target") {
  ThreadPool pool(2);
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    CAPTURE(std::string(hwy::TargetName(target)));
    for (const DType dtype : kTypes) {
      for (size_t columns = 1; columns <= 70; ++columns) check_product(dtype, 5, columns, 1, pool);
      for (size_t rows = 1; rows <= 70; rows += 3) check_product(dtype, rows, 33, 2, pool);
      for (const size_t tokens : {1, 2, 3, 4, 5, 8, 16, 17, 70}) check_product(dtype, 37, 129, tokens, pool);
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

TEST_CASE("a product in several bands, wide rows") {
  ThreadPool pool(2);
  for (const DType dtype : kTypes)
    for (const size_t tokens : {1, 4, 6, 18}) {
      check_product(dtype, 700, 301, tokens, pool);
      check_product(dtype, 11, 20011, tokens, pool);
    }
  check_product(DType::F16, 301, 8003, 17, pool);  // more than one converted band
}

TEST_CASE("what out held before does not count with beta 0, even where it is no number") {
  ThreadPool pool(1);
  const Stored w(DType::F16, 9, 20, 0, 1);
  for (const size_t tokens : {1, 6, 20}) {
    const Matrix x = random_matrix(tokens, 20, 2);
    Matrix y(tokens, 9), clean(tokens, 9);
    std::fill_n(y.data(), y.size(), std::nanf(""));
    multiply(w.matrix, x.view(), 0.0f, y.view(), pool);
    multiply(w.matrix, x.view(), 0.0f, clean.view(), pool);
    CHECK(std::memcmp(y.data(), clean.data(), y.size() * sizeof(float)) == 0);
  }
}

TEST_CASE("a product from a stored matrix has the same bytes for any number of threads") {
  ThreadPool one(1), three(3);
  for (const DType dtype : kTypes) {
    const Stored w(dtype, 600, 160, 0, 9);
    for (const size_t tokens : {1, 3, 9, 20}) {
      const Matrix x = random_matrix(tokens, 160, tokens);
      Matrix a(tokens, 600), b(tokens, 600);
      multiply(w.matrix, x.view(), 0.0f, a.view(), one);
      multiply(w.matrix, x.view(), 0.0f, b.view(), three);
      CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
    }
  }
}
