#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/pool.h"
#include "math/factor.h"
#include "math/finite.h"
#include "math/linear_algebra.h"
#include "math/quantiles.h"

using namespace signum;

namespace {

Matrix random_matrix(size_t rows, size_t columns, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix m(rows, columns);
  for (size_t i = 0; i < m.size(); ++i) m.data()[i] = normal(random);
  return m;
}

Matrix gram(const Matrix& x, ThreadPool& pool) {
  Matrix h(x.columns(), x.columns());
  add_gram(1, x.view(), h.view(), pool);
  return h;
}

bool same_bytes(const Matrix& a, const Matrix& b) {
  return std::equal(a.data(), a.data() + a.size(), b.data(), b.data() + b.size());
}

}  // namespace

TEST_CASE("products agree with sums in F64, at sizes that do not fit the tiles") {
  ThreadPool pool(3);
  for (const auto [m, k, n] : {std::array<size_t, 3>{1, 1, 1}, {7, 300, 5}, {130, 33, 270}, {600, 64, 17}}) {
    const Matrix a = random_matrix(m, k, 1), b = random_matrix(k, n, 2), bt = random_matrix(n, k, 3);
    Matrix c = random_matrix(m, n, 4), d = c.clone();
    const Matrix before = c.clone();
    gemm(2, a.view(), b.view(), -1, c.view(), pool);
    gemm_transposed(0.5f, a.view(), bt.view(), 0, d.view(), pool);
    double worst = 0;
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < n; ++j) {
        double plain = 0, transposed = 0;
        for (size_t l = 0; l < k; ++l) {
          plain += double(a(i, l)) * b(l, j);
          transposed += double(a(i, l)) * bt(j, l);
        }
        worst = std::max(
            {worst, std::fabs(c(i, j) - (2 * plain - before(i, j))), std::fabs(d(i, j) - 0.5 * transposed)});
      }
    CHECK(worst < 1e-4);
  }
}

TEST_CASE("a gram matrix is symmetric to the last bit and the same for any thread count") {
  const Matrix x = random_matrix(77, 530, 5);
  ThreadPool one(1), five(5);
  const Matrix h = gram(x, one);
  CHECK(same_bytes(h, gram(x, five)));
  for (size_t i = 0; i < 530; i += 13)
    for (size_t j = 0; j < 530; ++j) REQUIRE(h(i, j) == h(j, i));
  double expected = 0;
  for (size_t t = 0; t < 77; ++t) expected += double(x(t, 300)) * x(t, 12);
  CHECK(h(300, 12) == doctest::Approx(expected).epsilon(1e-4));
}

TEST_CASE("R R^T is the damped, permuted Hessian, at sizes around the tiles") {
  ThreadPool pool(2);
  for (const size_t n : {1u, 5u, 127u, 129u, 300u, 1030u})
    for (const bool descending : {false, true}) {
      const Matrix h = gram(random_matrix(n + 20, n, n), pool);
      auto factor = factorize(h, {0.01, descending}, pool);
      REQUIRE(factor.ok());
      const Matrix& r = factor.value().r;
      double mean = 0;
      for (size_t i = 0; i < n; ++i) mean += h(i, i) / double(n);
      CHECK(bool(factor.value().order) == descending);
      double worst = 0;
      for (size_t i = 0; i < n; i += n / 5 + 1)
        for (size_t j = 0; j < n; ++j) {
          double product = 0;
          for (size_t l = std::max(i, j); l < n; ++l) product += double(r(i, l)) * r(j, l);
          const size_t a = descending ? (*factor.value().order)[i] : i,
                       b = descending ? (*factor.value().order)[j] : j;
          worst = std::max(worst, std::fabs(product - h(a, b) - (i == j ? 0.01 * mean : 0)) / mean);
          if (j < i) CHECK(r(i, j) == 0);
        }
      CHECK(worst < 1e-4);
      if (descending)
        for (size_t i = 1; i < n; ++i) {
          const uint32_t a = (*factor.value().order)[i - 1], b = (*factor.value().order)[i];
          CHECK((h(a, a) > h(b, b) || (h(a, a) == h(b, b) && a < b)));
        }
    }
}

TEST_CASE("the factor is the same for any thread count") {
  ThreadPool one(1), two(2), five(5);
  const Matrix h = gram(random_matrix(900, 800, 8), five);
  const auto a = factorize(h, {}, one), b = factorize(h, {}, two), c = factorize(h, {}, five);
  CHECK(same_bytes(a.value().r, b.value().r));
  CHECK(same_bytes(a.value().r, c.value().r));
}

TEST_CASE("dead columns, an unseen input, and the ladder of retries") {
  ThreadPool pool(1);
  Matrix h = gram(random_matrix(50, 6, 9), pool);
  for (size_t i = 0; i < 6; ++i) h(i, 2) = h(2, i) = 0;
  const auto dead = factorize(h, {}, pool);
  REQUIRE(dead.ok());
  CHECK(dead.value().dead == std::vector<uint8_t>{0, 0, 1, 0, 0, 0});

  const auto unseen = factorize(Matrix(4, 4), {}, pool);
  REQUIRE(unseen.ok());
  CHECK(unseen.value().dead == std::vector<uint8_t>{0, 0, 0, 0});
  CHECK(unseen.value().notes.size() == 1);

  // Eigenvalues 3 and -1: needs a damping of more than 1, which the ladder reaches from 0.2 but not from
  // 0.0001.
  Matrix indefinite(2, 2);
  indefinite(0, 0) = indefinite(1, 1) = 1;
  indefinite(0, 1) = indefinite(1, 0) = 2;
  const auto raised = factorize(indefinite, {0.2, false}, pool);
  REQUIRE(raised.ok());
  CHECK(raised.value().damping_used == doctest::Approx(2));
  CHECK(raised.value().notes.size() == 1);
  const auto hopeless = factorize(indefinite, {0.0001, false}, pool);
  REQUIRE(!hopeless.ok());
  CHECK(hopeless.error().code == "factor_failed");

  Matrix broken(2, 2);
  broken(0, 1) = NAN;
  const auto refused = factorize(broken, {}, pool);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == "calibration_not_finite");
}

TEST_CASE("quantiles equal those of the sorted list") {
  ThreadPool pool(3);
  std::mt19937_64 random(11);
  std::normal_distribution<float> normal;
  for (const size_t count : {1u, 2u, 50u, 5000u}) {
    for (const size_t zeros : {0u, 40u}) {
      std::vector<float> values(count);
      for (float& v : values) v = normal(random) * normal(random);
      if (count > 10) values[3] = values[4] = values[5];
      std::vector<double> sorted(zeros, 0.0);
      for (const float v : values) sorted.push_back(std::fabs(v));
      std::sort(sorted.begin(), sorted.end());
      std::vector<double> p;
      for (int i = 0; i <= 20; ++i) p.push_back(i / 20.0);
      const size_t half = count / 2;
      const std::vector<std::span<const float>> parts = {std::span(values).first(half),
                                                         std::span(values).subspan(half)};
      const std::vector<float> got = absolute_quantiles(parts, zeros, p, pool);
      for (size_t i = 0; i < p.size(); ++i) {
        const double at = p[i] * double(sorted.size() - 1);
        const size_t low = size_t(at);
        const double high = sorted[std::min(low + 1, sorted.size() - 1)];
        CHECK(got[i] ==
              doctest::Approx(sorted[low] + (high - sorted[low]) * (at - double(low))).epsilon(1e-6));
      }
    }
  }
  CHECK(absolute_quantiles({}, 0, std::vector<double>{0.5}, pool) == std::vector<float>{0.0f});
}

TEST_CASE("finite or not") {
  ThreadPool pool(2);
  Matrix m = random_matrix(200, 3, 1);
  CHECK(all_finite(m.view(), pool));
  m(199, 2) = INFINITY;
  CHECK(!all_finite(m.view(), pool));
  m(199, 2) = NAN;
  CHECK(!all_finite(m.view(), pool));
}
