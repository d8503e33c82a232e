// Cholesky factors, inverses of diagonal blocks and divisions on the card, checked by multiplying back in
// F64.
#include "cuda/math/triangular.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/pool.h"
#include "both_orders.h"
#include "math/linear_algebra.h"
#include "numbers.h"

using namespace signum;

namespace {

// Upper triangular and well conditioned; what stands below the diagonal must not be read.
Matrix random_upper(size_t n, unsigned seed) {
  Matrix r = random_matrix(n, n, seed);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      r(i, j) = j < i ? NAN : i == j ? 1 + std::fabs(r(i, j)) : r(i, j) / std::sqrt(float(n));
  return r;
}

// X^T X of more rows than columns.
Matrix random_positive(size_t n, unsigned seed, ThreadPool& pool) {
  const Matrix x = random_matrix(n + 50, n, seed);
  Matrix h(n, n);
  add_gram(1.0f / float(n), x.view(), h.view(), pool);
  return h;
}

}  // namespace

TEST_CASE("inverses of all diagonal blocks") {
  cuda::Device& device = test_device();
  cuda::Blas blas(device, {});
  cuda::Card card{device, blas};
  const size_t shapes[][2] = {{5, 32},    {64, 64},   {65, 64},   {128, 128}, {300, 128}, {390, 256},
                              {256, 256}, {200, 100}, {100, 256}, {330, 160}, {600, 512}, {340, 300}};
  for (const auto& [n, blocksize] : shapes) {
    CAPTURE(n);
    CAPTURE(blocksize);
    const Matrix r = random_upper(n, unsigned(n));
    const auto r_card = cuda::DeviceMatrix::of(device, r.view(), "r");
    in_both_orders([&] {
      const cuda::DeviceMatrix u_card(device, n, blocksize, "u");
      cuda::invert_upper_blocks(card, r_card.view(), blocksize, u_card.view());
      const Matrix u = u_card.download(device);
      double worst = 0;
      size_t not_zero = 0;
      for (size_t s = 0; s < n; s += blocksize) {
        const size_t width = std::min(blocksize, n - s);
        for (size_t i = 0; i < width; ++i)
          for (size_t j = 0; j < blocksize; ++j) {
            if (j < i || j >= width) {
              not_zero += u(s + i, j) != 0;
              continue;
            }
            double sum = 0;
            for (size_t k = i; k <= j; ++k) sum += double(r(s + i, s + k)) * double(u(s + k, j));
            worst = std::max(worst, std::fabs(sum - double(i == j)));
          }
      }
      CHECK(worst < 1e-5);
      CHECK(not_zero == 0);
    });
  }
}

TEST_CASE("division by R R^T") {
  cuda::Device& device = test_device();
  cuda::Blas blas(device, {});
  cuda::Card card{device, blas};
  ThreadPool pool(2);
  const size_t shapes[][2] = {{7, 1}, {30, 128}, {20, 300}};
  for (const auto& [m, n] : shapes) {
    CAPTURE(n);
    const Matrix r = random_upper(n, 3), a = random_matrix(m, n, 4);
    const auto r_card = cuda::DeviceMatrix::of(device, r.view(), "r");
    const auto a_card = cuda::DeviceMatrix::of(device, a.view(), "a");
    cuda::divide_by_factored(card, r_card.view(), a_card.view());
    const Matrix got = a_card.download(device);
    Matrix expected = a.clone();
    divide_by_factored(r.view(), expected.view(), pool);
    double difference = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      difference = std::max(difference, std::fabs(double(got.data()[i]) - double(expected.data()[i])));
      size = std::max(size, std::fabs(double(expected.data()[i])));
    }
    CHECK(difference < 1e-5 * size);
  }
}

TEST_CASE_TEMPLATE("Cholesky factors", T, float, double) {
  cuda::Device& device = test_device();
  cuda::Blas blas(device, {});
  cuda::Card card{device, blas};
  ThreadPool pool(2);
  for (const size_t n : {size_t(1), size_t(40), size_t(64), size_t(130), size_t(333)}) {
    CAPTURE(n);
    const Matrix h = random_positive(n, unsigned(n), pool);
    std::vector<T> a(h.data(), h.data() + h.size());
    for (size_t i = 0; i < n; ++i)
      for (size_t j = i + 1; j < n; ++j) a[i * n + j] = T(NAN);  // must not be read
    in_both_orders([&] {
      const auto a_card = uploaded(a);
      cuda::cholesky(card, n, a_card.data(), n);
      const auto l = a_card.download();
      double worst = 0;
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j <= i; ++j) {
          double sum = 0;
          for (size_t k = 0; k <= j; ++k) sum += double(l[i * n + k]) * double(l[j * n + k]);
          const double error = std::fabs(sum - double(h(i, j)));
          worst = error > worst || error != error ? error : worst;
        }
      CHECK(worst < (sizeof(T) == 4 ? 1e-5 : 1e-13));
    });
  }
}

TEST_CASE_TEMPLATE("what is not positive definite leaves NaN on the diagonal", T, float, double) {
  cuda::Device& device = test_device();
  cuda::Blas blas(device, {});
  cuda::Card card{device, blas};
  ThreadPool pool(2);
  const size_t n = 300;
  for (const size_t at : {size_t(0), size_t(63), size_t(200), size_t(299)})
    for (const T value : {T(-1), T(0)}) {
      CAPTURE(at);
      std::vector<T> a(n * n, T(0));
      for (size_t i = 0; i < n; ++i) a[i * n + i] = i == at ? value : T(2);
      const auto a_card = uploaded(a);
      cuda::cholesky(card, n, a_card.data(), n);
      const auto l = a_card.download();
      size_t wrong = 0;
      for (size_t i = 0; i < n; ++i) wrong += !(l[i * n + i] > 0);
      CHECK(wrong > 0);
    }
}
