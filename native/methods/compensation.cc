#include "methods/compensation.h"

#include <cstring>

#include "base/pool.h"
#include "math/blas.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

constexpr size_t kBandRows = 64;
constexpr size_t kGroupBlocks = 2;

// out = a + scale * b, all [rows, width].
void add(ConstView a, float scale, ConstView b, View out, ThreadPool& pool) {
  pool.parallel_for((out.rows + kBandRows - 1) / kBandRows, [&](size_t band) {
    for (size_t r = band * kBandRows; r < std::min(out.rows, (band + 1) * kBandRows); ++r) {
      const float *x = a.row(r), *y = b.row(r);
      float* z = out.row(r);
      for (size_t j = 0; j < out.columns; ++j) z[j] = x[j] + scale * y[j];
    }
  });
}

void copy(ConstView from, View to, ThreadPool& pool) {
  pool.parallel_for((to.rows + kBandRows - 1) / kBandRows, [&](size_t band) {
    for (size_t r = band * kBandRows; r < std::min(to.rows, (band + 1) * kBandRows); ++r)
      std::memcpy(to.row(r), from.row(r), to.columns * sizeof(float));
  });
}

Matrix prepared(Matrix weight, const Factor& factor, ThreadPool& pool) {
  bool any_dead = false;
  for (const uint8_t d : factor.dead) any_dead |= d != 0;
  if (!factor.order && !any_dead) return weight;
  const size_t n = weight.columns();
  Matrix out = Matrix::uninitialized(weight.rows(), n);
  pool.parallel_for(weight.rows(), [&](size_t r) {
    const float* from = weight.row(r);
    float* to = out.row(r);
    for (size_t j = 0; j < n; ++j)
      to[j] = factor.dead[j] ? 0.0f : from[factor.order ? (*factor.order)[j] : j];
  });
  return out;
}

}  // namespace

BlockLoop::BlockLoop(Matrix weight, const Factor& factor, size_t blocksize, ThreadPool& pool)
    : factor_(factor),
      blocksize_(std::min(blocksize, weight.columns())),
      group_(kGroupBlocks * blocksize_),
      pool_(pool),
      weight_(prepared(std::move(weight), factor, pool)),
      current_(Matrix::uninitialized(weight_.rows(), blocksize_)),
      passed_(Matrix::uninitialized(weight_.rows(), std::min(group_, columns()))),
      scratch_(Matrix::uninitialized(weight_.rows(), blocksize_)),
      u_blocks_(Matrix::uninitialized(columns(), blocksize_)) {
  invert_blocks();
}

void BlockLoop::invert_blocks() {
  pool_.parallel_for(blocks(), [&](size_t t) {
    const size_t start = t * blocksize_, width = std::min(blocksize_, columns() - start);
    const ConstView r = factor_.r.view().block(start, start, width, width);
    const View u = u_blocks_.view().block(start, 0, width, width);
    std::vector<double> inverse(width * width);
    for (size_t i = 0; i < width; ++i) std::copy_n(r.row(i), width, inverse.begin() + long(i * width));
    blas::invert_upper(width, inverse.data(), width);
    for (size_t i = 0; i < width; ++i)
      for (size_t j = 0; j < width; ++j) u(i, j) = float(inverse[i * width + j]);
  });
}

// P of the next blocks from the columns before them.
void BlockLoop::prepare_group() {
  group_start_ = start_;
  const size_t width = std::min(group_, columns() - start_);
  const View all = passed_.view().block(0, 0, rows(), width);
  if (start_ > 0) {
    gemm(1, weight_.view().block(0, 0, rows(), start_), factor_.r.view().block(0, start_, start_, width), 0,
         all, pool_);
    return;
  }
  pool_.parallel_for(rows(), [&](size_t r) { std::memset(all.row(r), 0, width * sizeof(float)); });
}

void BlockLoop::enter(size_t t) {
  start_ = t * blocksize_;
  width_ = std::min(blocksize_, columns() - start_);
  if (t % kGroupBlocks == 0) prepare_group();
  const View now = current(), original = weight_.view().block(0, start_, rows(), width_);
  copy(original, now, pool_);
  if (start_ == 0) return;
  if (const size_t inside = start_ - group_start_; inside > 0)
    gemm(1, weight_.view().block(0, group_start_, rows(), inside),
         factor_.r.view().block(group_start_, start_, inside, width_), 1, passed(), pool_);
  gemm(1, passed(), u_block(), 1, now, pool_);
}

void BlockLoop::leave_with_error(ConstView error) {
  const View difference = scratch_.view().block(0, 0, rows(), width_);
  add(error, -1, passed(), difference, pool_);
  gemm(1, difference, u_block(), 0, weight_.view().block(0, start_, rows(), width_), pool_);
}

void BlockLoop::leave_with_quantized(ConstView quantized) {
  const View original = weight_.view().block(0, start_, rows(), width_);
  add(original, -1, quantized, original, pool_);
}

}  // namespace signum
