// ARB-X's errors of all splits of the columns that are not salient, trace(R S R^T), on the card. Mirrors
// methods/calibrated_split.h.
#pragma once

#include "cuda/card.h"
#include "cuda/methods/split_kernels.h"

namespace signum::cuda {

struct CalibratedSplit {
  SplitPass pass;
  const float* gram;  // S [width, width] in the block's order
  const float* left;  // T less what is fitted already (arb_residual), in tiles
  bool whole;         // otherwise every error lacks the same sum
};

class CalibratedSplits {
 public:
  // shape: of the largest block.
  CalibratedSplits(Card& card, const BlockShape& shape);
  // partial of the pass takes [bands][kErrorSlots]; returns how many bands of rows that are.
  size_t errors(const CalibratedSplit& split);
  static size_t bands(size_t rows);

 private:
  Card& card_;
  Array<int32_t> fixed_;  // S of the other columns in whole units
  Array<double> unit_;    // of them
  Array<float> product_;  // S y, in tiles
};

}  // namespace signum::cuda
