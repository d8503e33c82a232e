// The thresholds that a split is tried at (docs/METHODS.md, billm and arb): exact quantiles of |T| over a
// part of a block, found on the card. Mirrors math/quantiles.h: the same numbers to the last bit.
#pragma once

#include "cuda/methods/block_tiles.h"
#include "cuda/runtime.h"

namespace signum::cuda {

class SplitThresholds {
 public:
  explicit SplitThresholds(Device& device);

  struct Values {
    BlockShape shape;
    const float* search;  // T, in tiles
    const BlockChoice* choice;
    Part part;
    unsigned passes;  // that are done: only weights below the last split count
    bool with_zeros;  // the block's other weights count as zeros; otherwise zeros are left out
  };
  // candidates [kThresholds], ascending.
  void find(const Values& values, float* candidates);

 private:
  Device& device_;
  Array<uint32_t> counts_, slots_, ranks_;
};

}  // namespace signum::cuda
