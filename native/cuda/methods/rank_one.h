// Row times column scales fitted to a part of a block on the card (ARB-RC), one or two orders, one to four
// groups. Mirrors methods/rank_one.h.
#pragma once

#include "cuda/methods/block_tiles.h"
#include "cuda/runtime.h"

namespace signum::cuda {

struct RankOne {
  BlockShape shape;
  const BlockChoice* choice;
  Part part;
  unsigned groups;
  const float* x;          // tiles, columns in order
  const uint8_t* group;    // of every element, in tiles
  float* row_scale[2];     // by order: [groups][tiles * 32]
  float* column_scale[2];  // by order: [groups][width], by tile column; 0 where a column has no member
  float* sign[2];          // two orders only: -1, 0, 1 in tiles
  float* partial;          // [tiles][2][groups][width], room only

  // Chosen, not indexed: a kernel would copy its parameters for that.
  SIGNUM_BOTH float* row_scale_of(int order) const { return order == 0 ? row_scale[0] : row_scale[1]; }
  SIGNUM_BOTH float* column_scale_of(int order) const {
    return order == 0 ? column_scale[0] : column_scale[1];
  }
  SIGNUM_BOTH float* sign_of(int order) const { return order == 0 ? sign[0] : sign[1]; }
};

// The start of one order alone, which is what the search for a second split counts with.
void start_rank_one(Device& device, const RankOne& fit);
void fit_rank_one(Device& device, const RankOne& fit, int orders, int iterations);
// What one order's start leaves of x, |x| - row * column, in tiles.
void rank_one_residual(Device& device, const RankOne& fit, float* left);

// Row and column scales share a free factor: the mean of the column scales of a group becomes 1, and `factor`
// [groups] is what its row scales are still to be multiplied by.
void normalize(Device& device, const RankOne& fit, int order, float* factor);

}  // namespace signum::cuda
