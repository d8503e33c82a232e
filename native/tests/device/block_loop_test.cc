// The block loop on the card against the CPU's.
#include "cuda/methods/block_loop.h"

#include <doctest/doctest.h>

#include "device_factor.h"
#include "methods/compensation.h"
#include "tests/random_problem.h"

using namespace signum;

namespace {

// What a method might make of a block: every weight at the nearest of two levels.
Matrix signs_of(ConstView weight) {
  Matrix out(weight.rows, weight.columns);
  for (size_t r = 0; r < weight.rows; ++r)
    for (size_t j = 0; j < weight.columns; ++j) out(r, j) = std::copysign(0.03f, weight(r, j));
  return out;
}

Matrix downloaded(cuda::DeviceView<const float> view) {
  std::vector<float> all(view.rows * view.stride);
  test_device().download(all.data(), view.data,
                         ((view.rows - 1) * view.stride + view.columns) * sizeof(float));
  return Matrix::copy_of({all.data(), view.rows, view.columns, view.stride});
}

// The largest difference between the compensated weights of all blocks. Both are given the CPU's Q, so that
// no rounding decides a sign.
double distance(const Problem& p, const FactorOptions& options, size_t blocksize, bool propagates) {
  ThreadPool pool(2);
  const Factor factor = factorize(p.hessian, options, pool).value();
  const cuda::DeviceFactor device_factor = on_card(factor);
  cuda::Blas blas(test_device(), {});
  cuda::Card card{test_device(), blas};
  BlockLoop expected(p.weight.clone(), factor, blocksize, pool);
  cuda::BlockLoop loop(card, on_card(p.weight), device_factor, blocksize);
  REQUIRE(loop.blocks() == expected.blocks());
  double worst = 0;
  for (size_t t = 0; t < loop.blocks(); ++t) {
    expected.enter(t);
    loop.enter(t);
    REQUIRE(loop.start() == expected.start());
    REQUIRE(loop.width() == expected.width());
    worst = std::max(worst, apart(downloaded(loop.current()).view(), expected.current()));
    worst = std::max(worst, apart(downloaded(loop.u_block()).view(), expected.u_block()));
    CHECK(apart(downloaded(loop.r_block()).view(), expected.r_block()) == 0);
    const Matrix quantized = signs_of(expected.current());
    if (propagates) {
      expected.leave_with_quantized(quantized.view());
      loop.leave_with_quantized(on_card(quantized).view());
      continue;
    }
    Matrix error(loop.rows(), loop.width());
    for (size_t r = 0; r < error.rows(); ++r)
      for (size_t j = 0; j < error.columns(); ++j)
        error(r, j) = (expected.current()(r, j) - quantized(r, j)) * expected.r_block()(j, j);
    expected.leave_with_error(error.view());
    loop.leave_with_error(on_card(error).view());
  }
  return worst;
}

}  // namespace

TEST_CASE("blocks are brought up to date as on the CPU") {
  Problem p = random_problem(37, 301, 1);
  for (const size_t dead : {0, 77, 300})
    for (size_t j = 0; j < 301; ++j) p.hessian(dead, j) = p.hessian(j, dead) = 0;
  for (const bool ordered : {false, true})
    for (const bool propagates : {false, true})
      for (const size_t blocksize : {size_t(32), size_t(100), size_t(512)}) {
        CAPTURE(ordered);
        CAPTURE(propagates);
        CAPTURE(blocksize);
        in_both_orders(
            [&] { CHECK(distance(p, {.descending_order = ordered}, blocksize, propagates) < 2e-5); });
      }
}
