// The block loop with error compensation on the card: methods/compensation.h's formulas and names.
#pragma once

#include "cuda/card.h"
#include "cuda/math/factor.h"
#include "cuda/matrix.h"

namespace signum::cuda {

class BlockLoop {
 public:
  // weight [rows, columns] in natural column order; permuted by factor.order, dead columns set to zero. The
  // factor must outlive the loop.
  BlockLoop(Card& card, DeviceMatrix weight, const DeviceFactor& factor, size_t blocksize);

  size_t rows() const { return weight_.rows(); }
  size_t columns() const { return weight_.columns(); }
  size_t blocks() const { return (columns() + blocksize_ - 1) / blocksize_; }

  // Moves on to block t (0, 1, ...): brings it up to date.
  void enter(size_t t);
  size_t start() const { return start_; }
  size_t width() const { return width_; }
  // Compensated weights [rows, width].
  DeviceView<float> current() { return current_.view().block(0, 0, rows(), width_); }
  // R of this block [width, width]: U_b^-1, upper triangular.
  DeviceView<const float> r_block() const { return r().block(start_, start_, width_, width_); }
  // U of this block [width, width].
  DeviceView<const float> u_block() const { return u_blocks_.view().block(start_, 0, width_, width_); }

  // Ends the block. error [rows, width]: E = (Wb - Q) / U_jj, for methods that do not propagate inside the
  // block.
  void leave_with_error(DeviceView<const float> error);
  // Ends the block for methods that do: quantized Q [rows, width].
  void leave_with_quantized(DeviceView<const float> quantized);

 private:
  DeviceView<const float> r() const { return factor_.r.view(); }
  DeviceView<float> passed() { return passed_.view().block(0, start_ - group_start_, rows(), width_); }
  DeviceView<float> finished() { return weight_.view().block(0, start_, rows(), width_); }
  void prepare_group();

  Card& card_;
  const DeviceFactor& factor_;
  size_t blocksize_;
  size_t group_;           // columns whose P is made together: a multiple of the block size
  DeviceMatrix weight_;    // [rows, columns]: F in finished blocks, W0 in the others
  DeviceMatrix current_;   // [rows, blocksize]
  DeviceMatrix passed_;    // P [rows, group]
  DeviceMatrix scratch_;   // [rows, blocksize]
  DeviceMatrix u_blocks_;  // [columns, blocksize]: U of every block
  size_t group_start_ = 0;
  size_t start_ = 0;
  size_t width_ = 0;
};

}  // namespace signum::cuda
