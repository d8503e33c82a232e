// The errors of all splits of a part of a block, and the choice among them, on the card. Mirrors
// methods/search_kernels.h and methods/split_search.h.
#pragma once

#include "cuda/methods/block_tiles.h"
#include "cuda/runtime.h"

namespace signum::cuda {

// One pass of a search for a split: the weights that the `passes` before have left are tried in two groups.
struct SplitPass {
  BlockShape shape;
  const float* search;      // T, in tiles, columns in order
  const float* candidates;  // [kThresholds], ascending
  BlockChoice* choice;
  double* partial;  // [tiles][kErrorSlots]: errors of a tile
  unsigned passes;
};

// Salient columns, two orders in both groups; in slot kUnsplitSlot the error of one group.
void salient_split_errors(Device& device, const SplitPass& pass);
// salient_at[passes] from the errors.
void choose_salient_split(Device& device, const SplitPass& pass);

// The other columns, one order in both groups.
void split_errors(Device& device, const SplitPass& pass);
// What passes before have left of the weights in their groups, summed into slot kFittedSlot. left: in tiles,
// of the block's shape.
void fitted_errors(Device& device, const SplitPass& pass, const float* left);
// at[passes] from the errors of `parts` tiles, or of as many bands of rows. fitted: slot kFittedSlot is part
// of them.
struct SplitErrors {
  size_t parts;
  bool fitted;
};
void choose_split(Device& device, const SplitPass& pass, const SplitErrors& errors);

}  // namespace signum::cuda
