// The Hessian's factor on the card against the CPU's, and against H itself.
#include "cuda/math/factor.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/pool.h"
#include "both_orders.h"
#include "numbers.h"
#include "tests/golden_cases.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

cuda::DeviceFactor factor_on_card(const Matrix& h, const FactorOptions& options) {
  cuda::Device& device = test_device();
  cuda::Blas blas(device, {});
  cuda::Card card{device, blas};
  return cuda::factorize(card, on_card(h), options);
}

void check_same(const Matrix& h, const FactorOptions& options) {
  ThreadPool pool(2);
  const Factor cpu = factorize(h, options, pool).value();
  const cuda::DeviceFactor card = factor_on_card(h, options);
  const size_t n = h.rows();
  CHECK(card.dead_host == cpu.dead);
  CHECK(card.dead.download() == cpu.dead);
  REQUIRE(bool(card.order) == bool(cpu.order));
  CHECK(bool(card.order_device) == bool(cpu.order));
  if (cpu.order) {
    CHECK(*card.order == *cpu.order);
    CHECK(card.order_device.download() == *cpu.order);
  }
  CHECK(card.diagonal == cpu.diagonal);
  CHECK(card.damping_used == cpu.damping_used);
  CHECK(card.notes == cpu.notes);

  REQUIRE(bool(card.r) == !options.diagonal_only);
  if (options.diagonal_only) return;
  const Matrix r = card.r.download(test_device());
  double worst = 0, below = 0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      const double size = std::sqrt(double(cpu.r(i, i)) * double(cpu.r(j, j)));
      const double error = std::fabs(double(r(i, j)) - double(cpu.r(i, j))) / size;
      worst = error > worst || error != error ? error : worst;
      if (j < i) below += std::fabs(r(i, j));
    }
  CHECK(worst < 2e-5);
  CHECK(below == 0);

  REQUIRE(bool(card.blocks) == !cpu.blocks.empty());
  if (cpu.blocks.empty()) return;
  const Matrix blocks = card.blocks.download(test_device());
  size_t different = 0;
  for (size_t s = 0; s < n; ++s) {
    const Matrix& block = cpu.blocks[s / options.keep_blocks];
    for (size_t j = 0; j < options.keep_blocks; ++j)
      different += blocks(s, j) != (j < block.columns() ? block(s % options.keep_blocks, j) : 0);
  }
  CHECK(different == 0);
}

}  // namespace

TEST_CASE("the factor is the CPU's, with and without an order") {
  for (const size_t n : {size_t(1), size_t(50), size_t(200), size_t(390)})
    for (const bool descending : {false, true}) {
      CAPTURE(n);
      CAPTURE(descending);
      const Problem problem = random_problem(4, n, n);
      check_same(problem.hessian, {0.01, descending, 128, false});
      check_same(problem.hessian, {0.1, descending, 0, true});
    }
}

TEST_CASE("the factor of the golden Hessians is the CPU's, dead columns included") {
  for (const char* layer : golden::kLayers)
    for (const bool descending : {false, true}) {
      CAPTURE(layer);
      check_same(golden::matrix(*golden::open_layer(layer), "hessian"), {0.01, descending, 100, false});
    }
}

TEST_CASE("a Hessian of nothing is the identity") { check_same(Matrix(70, 70), {0.01, false, 32, false}); }

TEST_CASE("F64 and more damping where they are needed, with the CPU's words") {
  // Two columns that are one: what the damping adds is nothing in F32.
  Matrix close(70, 70);
  for (size_t i = 0; i < 70; ++i) close(i, i) = 1;
  close(68, 69) = close(69, 68) = 1;
  check_same(close, {1e-9, false, 0, false});
  Matrix indefinite(2, 2);
  indefinite(0, 0) = indefinite(1, 1) = 1;
  indefinite(0, 1) = indefinite(1, 0) = 3;
  check_same(indefinite, {0.2, false, 0, false});
  ThreadPool pool(1);
  CHECK(factorize(close, {1e-9, false}, pool).value().notes.size() == 1);
  CHECK(factorize(indefinite, {0.2, false}, pool).value().notes.size() == 1);

  const auto hopeless = cuda::guarded([&] { return factor_on_card(indefinite, {0.0001}).damping_used; });
  REQUIRE(!hopeless.ok());
  CHECK(hopeless.error().code == "factor_failed");
}

TEST_CASE("NaN and infinity are refused") {
  for (const float value : {NAN, -INFINITY}) {
    Matrix broken = random_problem(4, 90, 5).hessian;
    broken(89, 3) = broken(3, 89) = value;
    const auto refused = cuda::guarded([&] { return factor_on_card(broken, {}).damping_used; });
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == "calibration_not_finite");
  }
}

TEST_CASE("the same bytes twice, in both orders of threads") {
  const Matrix h = random_problem(4, 300, 6).hessian;
  Matrix first;
  in_both_orders([&] {
    const Matrix r = factor_on_card(h, {0.01, true}).r.download(test_device());
    if (first.size() == 0) first = r.clone();
    CHECK(std::memcmp(r.data(), first.data(), r.size() * sizeof(float)) == 0);
  });
}
