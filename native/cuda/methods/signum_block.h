// signum-rc on one block on the card (methods/signum_block.h): signs and scales that minimize ||(Wb - Q)
// U_b^-1||^2. Which iterate is the best is decided there: nothing waits for the host.
#pragma once

#include "cuda/methods/signum_refit.h"

namespace signum::cuda {

// Memory for the blocks of one linear, one after another.
class SignumBlock {
 public:
  // width: of the widest block; most: the columns of its planes where they are most, in the first block.
  SignumBlock(Card& card, const Recipe& recipe, size_t rows, size_t width, const PlaneCounts& most);

  // block [rows, width]: compensated weights; r, u [width, width] of the block.
  void fit(DeviceView<const float> block, DeviceView<const float> r, DeviceView<const float> u,
           const PlaneCounts& counts);

  // Of the best iterate.
  SignumScales scales() { return scales_of(best_); }
  const uint8_t* codes() const { return best_.codes.data(); }

 private:
  struct Iterate {
    Array<float> row, column;
    Array<uint8_t> codes;
  };
  Iterate iterate() const;
  SignumScales scales_of(const Iterate& one) const { return {one.row.data(), one.column.data(), rows_}; }
  float* part(size_t k) { return parts_.data() + k * rows_ * width_; }

  void start(DeviceView<const float> block, const PlaneCounts& counts);
  void prepare(DeviceView<const float> block, DeviceView<const float> r);
  void refit(DeviceView<const float> r, const PlaneCounts& counts);

  Card& card_;
  const Recipe& recipe_;
  size_t rows_, width_;
  Iterate now_, best_;
  ColumnRefit columns_;
  Array<float> y_, y_back_, metric_, parts_, signed_, room_;
  Array<uint8_t> start_signs_;
  Array<double> row_parts_, costs_, y_square_;
};

}  // namespace signum::cuda
