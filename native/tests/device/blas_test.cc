// Products on the card against F64 on the host, and against the CPU's own.
#include "cuda/math/blas.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/half.h"
#include "both_orders.h"
#include "cuda/matrix.h"
#include "device.h"
#include "math/blas.h"
#include "numbers.h"

using namespace signum;

namespace {

// Largest difference between C and the F64 product, in units of sum |a b| + |c|.
struct Case {
  bool at, bt;
  size_t m, n, k;
  float alpha, beta;
};

double largest_error(const Case& one, const std::vector<float>& a, size_t lda, const std::vector<float>& b,
                     size_t ldb, const std::vector<float>& before, const std::vector<float>& after,
                     size_t ldc) {
  double worst = 0;
  for (size_t i = 0; i < one.m; ++i)
    for (size_t j = 0; j < one.n; ++j) {
      double sum = 0, size = 0;
      for (size_t k = 0; k < one.k; ++k) {
        const double product = double(one.at ? a[k * lda + i] : a[i * lda + k]) *
                               double(one.bt ? b[j * ldb + k] : b[k * ldb + j]);
        sum += product;
        size += std::fabs(product);
      }
      const double old = one.beta == 0 ? 0 : double(one.beta) * double(before[i * ldc + j]);
      const double scale = std::fabs(double(one.alpha)) * size + std::fabs(old) + 1e-30;
      worst =
          std::max(worst, std::fabs(double(after[i * ldc + j]) - (double(one.alpha) * sum + old)) / scale);
    }
  return worst;
}

}  // namespace

TEST_CASE("products with every transpose, odd sizes and strides") {
  cuda::Blas blas(test_device(), {});
  const size_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},      {64, 64, 16}, {65, 130, 33}, {7, 200, 100},
                              {200, 1, 50}, {300, 270, 40}, {9, 64, 17},  {1, 33, 129}};
  for (const auto& shape : shapes)
    for (const bool at : {false, true})
      for (const bool bt : {false, true})
        for (const float beta : {0.0f, 1.0f, -0.5f}) {
          const Case one{at, bt, shape[0], shape[1], shape[2], beta == 1 ? -1.0f : 1.5f, beta};
          CAPTURE(one.m);
          CAPTURE(one.n);
          CAPTURE(one.k);
          CAPTURE(at);
          CAPTURE(bt);
          const size_t lda = (at ? one.m : one.k) + 3, ldb = (bt ? one.k : one.n) + 1, ldc = one.n + 2;
          const auto a = random_numbers((at ? one.k : one.m) * lda, 1);
          const auto b = random_numbers((bt ? one.n : one.k) * ldb, 2);
          auto c = random_numbers(one.m * ldc, 3);
          if (beta == 0) c.assign(c.size(), NAN);  // must not be read
          const auto a_card = uploaded(a), b_card = uploaded(b);
          auto c_card = uploaded(c);
          blas.gemm(at, bt, one.m, one.n, one.k, one.alpha, a_card.data(), lda, b_card.data(), ldb, one.beta,
                    c_card.data(), ldc);
          const auto got = c_card.download();
          CHECK(largest_error(one, a, lda, b, ldb, c, got, ldc) < 2e-6);
          for (size_t i = 0; i < one.m; ++i)  // what lies between the rows is left alone
            for (size_t j = one.n; j < ldc; ++j)
              CHECK(std::bit_cast<unsigned>(got[i * ldc + j]) == std::bit_cast<unsigned>(c[i * ldc + j]));
          auto cpu = c;
          blas::gemm(at, bt, one.m, one.n, one.k, one.alpha, a.data(), lda, b.data(), ldb, one.beta,
                     cpu.data(), ldc);
          for (size_t i = 0; i < one.m; ++i)
            for (size_t j = 0; j < one.n; ++j)
              CHECK(got[i * ldc + j] == doctest::Approx(cpu[i * ldc + j]).epsilon(1e-4).scale(10));
        }
}

TEST_CASE(
    "an element is the same whatever surrounds it, and twice the same bytes in both orders of threads") {
  cuda::Blas blas(test_device(), {});
  const size_t m = 260, n = 300, k = 70;
  const auto a = random_numbers(m * k, 4), b = random_numbers(n * k, 5);
  const auto a_card = uploaded(a), b_card = uploaded(b);
  std::vector<float> first;
  in_both_orders([&] {
    cuda::Array<float> c(test_device(), m * n, "c");
    blas.gemm(false, true, m, n, k, 1, a_card.data(), k, b_card.data(), k, 0, c.data(), n);
    const auto got = c.download();
    if (first.empty()) first = got;
    CHECK(got == first);
  });
  if (blas.has_library()) return;
  cuda::Array<float> c(test_device(), 20 * 30, "c");
  blas.gemm(false, true, 20, 30, k, 1, a_card.data() + 100 * k, k, b_card.data() + 200 * k, k, 0, c.data(),
            30);
  const auto got = c.download();
  for (size_t i = 0; i < 20; ++i)
    for (size_t j = 0; j < 30; ++j) CHECK(got[i * 30 + j] == first[(100 + i) * n + 200 + j]);
}

TEST_CASE("products in F64") {
  cuda::Blas blas(test_device(), {});
  const size_t m = 70, n = 45, k = 33;
  for (const bool at : {false, true})
    for (const bool bt : {false, true}) {
      const auto af = random_numbers(m * k, 6), bf = random_numbers(n * k, 7), cf = random_numbers(m * n, 8);
      const std::vector<double> a(af.begin(), af.end()), b(bf.begin(), bf.end());
      std::vector<double> c(cf.begin(), cf.end());
      const auto a_card = uploaded(a), b_card = uploaded(b);
      auto c_card = uploaded(c);
      const size_t lda = at ? m : k, ldb = bt ? k : n;
      blas.gemm(at, bt, m, n, k, -1.0, a_card.data(), lda, b_card.data(), ldb, 1.0, c_card.data(), n);
      blas::gemm(at, bt, m, n, k, -1.0, a.data(), lda, b.data(), ldb, 1.0, c.data(), n);
      const auto got = c_card.download();
      for (size_t i = 0; i < m * n; ++i) CHECK(got[i] == doctest::Approx(c[i]).epsilon(1e-13).scale(10));
    }
}

TEST_CASE("batches of products, with operands that neighbours share") {
  cuda::Blas blas(test_device(), {});
  const size_t count = 6, m = 20, n = 33, k = 18, shared = 2;
  const auto a = random_numbers(count * m * k, 9), b = random_numbers(count / shared * n * k, 10);
  const auto a_card = uploaded(a), b_card = uploaded(b);
  cuda::Array<float> c(test_device(), count * m * n, "c");
  blas.gemm_batched({count, m * k, n * k, m * n, shared}, false, true, m, n, k, 0.25f, a_card.data(), k,
                    b_card.data(), k, 0, c.data(), n);
  const auto got = c.download();
  for (size_t one = 0; one < count; ++one) {
    const std::vector<float> ai(a.begin() + one * m * k, a.begin() + (one + 1) * m * k);
    const std::vector<float> bi(b.begin() + one / shared * n * k, b.begin() + (one / shared + 1) * n * k);
    const std::vector<float> ci(got.begin() + one * m * n, got.begin() + (one + 1) * m * n);
    CHECK(largest_error({false, true, m, n, k, 0.25f, 0}, ai, k, bi, k, ci, ci, n) < 2e-6);
  }
}

TEST_CASE("weights as stored") {
  cuda::Blas blas(test_device(), {});
  const size_t n = 70, k = 90;
  for (const DType type : {DType::F16, DType::BF16, DType::F32})
    for (const size_t m : {size_t(1), size_t(3), size_t(8), size_t(9), size_t(100)}) {
      CAPTURE(m);
      auto w = random_numbers(n * k, 11);
      std::vector<uint16_t> bits(n * k);
      for (size_t i = 0; i < n * k; ++i) {
        bits[i] = type == DType::F16 ? float_to_half(w[i]) : float_to_bfloat(w[i]);
        if (type != DType::F32) w[i] = type == DType::F16 ? half_to_float(bits[i]) : bfloat_to_float(bits[i]);
      }
      const auto w_card = uploaded(w);
      const auto bits_card = uploaded(bits);
      const auto x = random_numbers(m * k, 12), before = random_numbers(m * n, 13);
      const auto x_card = uploaded(x);
      auto out = uploaded(before);
      blas.times_stored(x_card.data(), m, k,
                        type == DType::F32 ? static_cast<const void*>(w_card.data()) : bits_card.data(), type,
                        n, 1.0f, out.data(), n);
      CHECK(largest_error({false, true, m, n, k, 1, 1}, x, k, w, k, before, out.download(), n) <
            2e-6 + (type == DType::F32 ? 0 : cut_off(blas, k)));
    }
}

TEST_CASE("a gram matrix is symmetric to the last bit, and what lay in C stays in it") {
  cuda::Blas blas(test_device(), {});
  for (const size_t n : {size_t(1), size_t(50), size_t(130), size_t(400)}) {
    CAPTURE(n);
    const size_t tokens = 37, stride = n + 5;
    const auto x = random_numbers(tokens * stride, 14);
    auto c = random_numbers(n * n, 15);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < i; ++j) c[j * n + i] = c[i * n + j];
    const auto x_card = uploaded(x);
    in_both_orders([&] {
      auto c_card = uploaded(c);
      blas.add_gram(2.0f, {x_card.data(), tokens, n, stride}, cuda::view_of(c_card, n, n));
      const auto got = c_card.download();
      CHECK(largest_error({true, false, n, n, tokens, 2, 1}, x, stride, x, stride, c, got, n) < 2e-6);
      size_t unequal = 0;
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < i; ++j) unequal += got[j * n + i] != got[i * n + j];
      CHECK(unequal == 0);
    });
  }
}

TEST_CASE("C += alpha X^T Y") {
  cuda::Blas blas(test_device(), {});
  const size_t tokens = 29, m = 40, n = 66;
  const auto x = random_numbers(tokens * m, 16), y = random_numbers(tokens * n, 17),
             c = random_numbers(m * n, 18);
  const auto x_card = uploaded(x), y_card = uploaded(y);
  auto c_card = uploaded(c);
  blas.add_products(0.5f, {x_card.data(), tokens, m, m}, {y_card.data(), tokens, n, n},
                    cuda::view_of(c_card, m, n));
  CHECK(largest_error({true, false, m, n, tokens, 0.5f, 1}, x, m, y, n, c, c_card.download(), n) < 2e-6);
}
