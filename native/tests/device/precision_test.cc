// How near products come to F64's, for every way of making them.
#include <doctest/doctest.h>

#include <cmath>

#include "base/half.h"
#include "cuda/math/blas.h"
#include "cuda/math/planes.h"
#include "cuda/math/split_products.h"
#include "numbers.h"

using namespace signum;

namespace {

// Largest and root mean square error of C = A B^T + beta C0, in units of sum |a b|.
struct Errors {
  double largest = 0, mean = 0;
};
Errors errors_of(const std::vector<float>& a, const std::vector<float>& b, size_t m, size_t n, size_t k,
                 const std::vector<float>& got, float beta = 0, const std::vector<float>& before = {}) {
  Errors errors;
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      double sum = beta == 0 ? 0 : double(beta) * double(before[i * n + j]), size = std::fabs(sum) + 1e-300;
      for (size_t l = 0; l < k; ++l) {
        sum += double(a[i * k + l]) * double(b[j * k + l]);
        size += std::fabs(double(a[i * k + l]) * double(b[j * k + l]));
      }
      const double error = std::fabs(double(got[i * n + j]) - sum) / size;
      errors.largest = error > errors.largest || error != error ? error : errors.largest;
      errors.mean += error * error;
    }
  errors.mean = std::sqrt(errors.mean / double(m * n));
  return errors;
}

// Rows and columns of very different size, as activations have them.
std::vector<float> uneven(size_t rows, size_t columns, unsigned seed) {
  std::vector<float> x = random_numbers(rows * columns, seed);
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j)
      x[i * columns + j] *= std::ldexp(j % 37 == 5 ? 1000.0f : 1.0f, int(i * 7 % 41) - 20);
  return x;
}

std::vector<uint16_t> stored(std::vector<float>& w, bool half) {
  std::vector<uint16_t> bits(w.size());
  for (size_t i = 0; i < w.size(); ++i) {
    bits[i] = half ? float_to_half(w[i]) : float_to_bfloat(w[i]);
    w[i] = half ? half_to_float(bits[i]) : bfloat_to_float(bits[i]);
  }
  return bits;
}

}  // namespace

TEST_CASE("Bf16x3 comes as near as F32") {
  cuda::Device& device = test_device();
  cuda::Blas exact(device, {}), split(device, {"", cuda::Precision::Bf16x3});
  CHECK(split.precision() == cuda::Precision::Bf16x3);
  const size_t m = 40, n = 50;
  for (const size_t k : {size_t(64), size_t(1000), size_t(2100)}) {
    CAPTURE(k);
    const auto a = uneven(m, k, 1), b = random_numbers(n * k, 2);
    const auto a_card = uploaded(a), b_card = uploaded(b);
    cuda::Array<float> c(device, m * n, "c");
    exact.gemm(false, true, m, n, k, 1.0f, a_card.data(), k, b_card.data(), k, 0, c.data(), n);
    const Errors f32 = errors_of(a, b, m, n, k, c.download());
    split.gemm(false, true, m, n, k, 1.0f, a_card.data(), k, b_card.data(), k, 0, c.data(), n);
    const Errors bf16x3 = errors_of(a, b, m, n, k, c.download());
    MESSAGE("k ", k, ": F32 ", f32.mean, " (largest ", f32.largest, "), Bf16x3 ", bf16x3.mean, " (largest ",
            bf16x3.largest, ")");
    const double cut = cut_off(split, std::min(k, size_t(1024)));  // longer sums come in pieces
    CHECK(bf16x3.largest < 2e-6 + cut);
    CHECK(bf16x3.mean < 2 * f32.mean + 1e-8 + cut / 2);
  }
}

TEST_CASE("Bf16x3 with every transpose, strides and beta") {
  cuda::Device& device = test_device();
  cuda::Blas split(device, {"", cuda::Precision::Bf16x3});
  const size_t m = 33, n = 21, k = 70, before_seed = 5;
  const auto a = random_numbers(m * k, 3), b = random_numbers(n * k, 4),
             before = random_numbers(m * n, before_seed);
  const auto turned = [](const std::vector<float>& x, size_t rows, size_t columns, size_t stride) {
    std::vector<float> out(columns * stride, NAN);
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) out[j * stride + i] = x[i * columns + j];
    return out;
  };
  const auto a_card = uploaded(a), b_card = uploaded(b);
  const auto a_turned = uploaded(turned(a, m, k, m + 3)), b_turned = uploaded(turned(b, n, k, n + 1));
  for (const bool at : {false, true})
    for (const bool bt : {false, true}) {
      CAPTURE(at);
      CAPTURE(bt);
      const auto c = uploaded(before);
      split.gemm(at, bt, m, n, k, 1.0f, (at ? a_turned : a_card).data(), at ? m + 3 : k,
                 (bt ? b_card : b_turned).data(), bt ? k : n + 1, -0.5f, c.data(), n);
      CHECK(errors_of(a, b, m, n, k, c.download(), -0.5f, before).largest < 2e-6 + cut_off(split, k));
    }
}

TEST_CASE("a gram matrix in Bf16x3 is symmetric to the last bit") {
  cuda::Device& device = test_device();
  cuda::Blas split(device, {"", cuda::Precision::Bf16x3});
  const size_t tokens = 150, n = 90;
  const auto x = random_numbers(tokens * n, 6);
  std::vector<float> turned(n * tokens);
  for (size_t t = 0; t < tokens; ++t)
    for (size_t i = 0; i < n; ++i) turned[i * tokens + t] = x[t * n + i];
  const auto x_card = uploaded(x);
  in_both_orders([&] {
    const auto c = uploaded(std::vector<float>(n * n, 1.0f));
    split.add_gram(1.0f, {x_card.data(), tokens, n, n}, cuda::view_of(c, n, n));
    const auto got = c.download();
    CHECK(errors_of(turned, turned, n, n, tokens, got, 1, std::vector<float>(n * n, 1.0f)).largest <
          2e-6 + cut_off(split, tokens));
    size_t unequal = 0;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < i; ++j) unequal += got[i * n + j] != got[j * n + i];
    CHECK(unequal == 0);
  });
}

TEST_CASE("stored weights times activations in parts come as near as F32") {
  cuda::Device& device = test_device();
  cuda::Blas exact(device, {}), split(device, {"", cuda::Precision::Bf16x3});
  const size_t m = 43, n = 30, k = 300;
  for (const DType type : {DType::F16, DType::BF16})
    for (const float beta : {0.0f, 1.0f}) {
      CAPTURE(dtype_name(type));
      auto w = random_numbers(n * k, 7);
      const auto bits = uploaded(stored(w, type == DType::F16));
      auto x = uneven(m, k, 8);
      std::fill_n(x.begin(), k, 0.0f);  // a row of nothing
      std::vector<float> before = random_numbers(m * n, 9);
      const auto x_card = uploaded(x);
      const auto product = [&](cuda::Blas& blas) {
        const auto out = uploaded(before);
        blas.times_stored(x_card.data(), m, k, bits.data(), type, n, beta, out.data(), n);
        return errors_of(x, w, m, n, k, out.download(), beta, before);
      };
      const Errors f32 = product(exact), parts = product(split);
      MESSAGE(std::string(dtype_name(type)), ": F32 ", f32.mean, " (largest ", f32.largest, "), parts ",
              parts.mean, " (largest ", parts.largest, ")");
      CHECK(parts.largest < 2e-6 + cut_off(split, k));
      CHECK(parts.mean < 2 * f32.mean + 1e-8 + cut_off(split, k) / 2);
    }
}

TEST_CASE("parts that come in bands of rows give what they give at once") {
  cuda::Device& device = test_device();
  const size_t m = 300, n = 11, k = 20;
  for (const bool half : {false, true})
    for (const float beta : {0.0f, 1.0f}) {
      auto w = random_numbers(n * k, 11);
      const auto bits = uploaded(stored(w, half));
      const auto x = uploaded(uneven(m, k, 12));
      const auto product = [&](size_t room) {
        const auto out = uploaded(random_numbers(m * n, 13));
        cuda::own::Product<float, uint16_t> p;
        p.b_transposed = true;
        p.half = half;
        p.m = m;
        p.n = n;
        p.k = p.lda = p.ldb = k;
        p.a = x.data();
        p.b = bits.data();
        p.beta = beta;
        p.c = out.data();
        p.ldc = n;
        cuda::own::multiply_stored(
            device, p, [&](const auto& halves) { cuda::own::multiply(device, halves); }, room);
        return out.download();
      };
      CHECK(product(1) == product(size_t(1) << 20));
    }
}

TEST_CASE("parts of F16 keep 22 bits of every number of a row, whatever the row's size") {
  cuda::Device& device = test_device();
  const size_t rows = 5, columns = 40, stride = cuda::own::plane_stride(columns);
  std::vector<float> x = random_numbers(rows * columns, 10);
  const float sizes[] = {1, 1e30f, 1e-30f, 0, 65504};
  for (size_t i = 0; i < rows * columns; ++i) x[i] *= sizes[i / columns];
  const auto x_card = uploaded(x);
  in_both_orders([&] {
    const cuda::Array<uint16_t> planes(device, 2 * rows * stride, "planes");
    const cuda::Array<float> scales(device, rows, "scales");
    cuda::own::split_half(device, {x_card.data(), rows, columns, columns}, planes.data(), scales.data());
    const auto bits = planes.download();
    const auto scale = scales.download();
    double worst = 0;
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < columns; ++c) {
        const double sum = double(half_to_float(bits[r * stride + c])) +
                           double(half_to_float(bits[(rows + r) * stride + c]));
        const double want = x[r * columns + c];
        const double error = std::fabs(sum * double(scale[r]) - want) / (std::fabs(want) + 1e-300);
        worst = error > worst || error != error ? error : worst;
      }
    CHECK(worst <= 0x1p-22);
  });
}

TEST_CASE("TF32 without a library is F32, and says so") {
  cuda::Blas blas(test_device(), {"", cuda::Precision::Tf32});
  if (blas.has_library()) {
    CHECK(blas.precision() == cuda::Precision::Tf32);
    CHECK(blas.note().empty());
  } else {
    CHECK(blas.precision() == cuda::Precision::F32);
    CHECK(blas.note().find("cuBLAS") != std::string::npos);
  }
}
