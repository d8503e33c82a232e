// The block loop with error compensation (docs/METHODS.md), left-looking.
//
// The papers' programs update all later columns after each block: W[:, e:] -= E U[s:e, e:], with U = R^-1.
// Here a block is brought up to date when it is reached. With F = E U restricted to the finished columns, P =
// F[:, :s] R[:s, s:e]:
//     Wb = W0[:, s:e] + P U_b,   U_b = R[s:e, s:e]^-1        (the compensated weights of the block)
//     F[:, s:e] = (E - P) U_b                                 (after the block; = W0 - Q where errors are
//     propagated inside the block)
// So U itself is never formed: n^3/3 operations less. P is made for two blocks at a time from all that lies
// before them: long, wide products.
#pragma once

#include "math/factor.h"

namespace signum {

class ThreadPool;

class BlockLoop {
 public:
  // weight [rows, columns] in natural column order; permuted by factor.order, dead columns set to zero.
  BlockLoop(Matrix weight, const Factor& factor, size_t blocksize, ThreadPool& pool);

  size_t rows() const { return weight_.rows(); }
  size_t columns() const { return weight_.columns(); }
  size_t blocks() const { return (columns() + blocksize_ - 1) / blocksize_; }

  // Moves on to block t (0, 1, ...): brings it up to date.
  void enter(size_t t);
  size_t start() const { return start_; }
  size_t width() const { return width_; }
  // Compensated weights [rows, width].
  View current() { return current_.view().block(0, 0, rows(), width_); }
  // R of this block [width, width]: U_b^-1, upper triangular.
  ConstView r_block() const { return factor_.r.view().block(start_, start_, width_, width_); }
  // U of this block [width, width], inverted in F64: the same whoever inverts it.
  ConstView u_block() const { return u_blocks_.view().block(start_, 0, width_, width_); }

  // Ends the block. error [rows, width]: E = (Wb - Q) / U_jj, for methods that do not propagate inside the
  // block.
  void leave_with_error(ConstView error);
  // Ends the block for methods that do: quantized Q [rows, width].
  void leave_with_quantized(ConstView quantized);

 private:
  View passed() { return passed_.view().block(0, start_ - group_start_, rows(), width_); }
  void invert_blocks();
  void prepare_group();

  const Factor& factor_;
  size_t blocksize_;
  size_t group_;  // columns whose P is made together: a multiple of the block size
  ThreadPool& pool_;
  Matrix weight_;    // [rows, columns]: F in finished blocks, W0 in the others
  Matrix current_;   // [rows, blocksize]
  Matrix passed_;    // P [rows, group]
  Matrix scratch_;   // [rows, blocksize]
  Matrix u_blocks_;  // [columns, blocksize]: U of every block
  size_t group_start_ = 0;
  size_t start_ = 0;
  size_t width_ = 0;
};

}  // namespace signum
