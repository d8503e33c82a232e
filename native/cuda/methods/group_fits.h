// The fits of BiLLM and ARB-LLM to the groups of a block on the card: a mean and one or two scales a row and
// group. Mirrors billm_fit and methods/arb_kernels.h, methods/calibrated_fit.h.
#pragma once

#include "cuda/methods/block_tiles.h"
#include "cuda/runtime.h"

namespace signum::cuda {

struct GroupFit {
  BlockShape shape;
  const BlockChoice* choice;
  unsigned salient_splits, splits;
  const float* weight;   // tiles, columns in order
  const uint8_t* group;  // of every element, in tiles: make_groups
  float* first;          // signs, or deviations whose sign (>= 0 is +) is the bit: out
  float* second;         // of the salient columns: out
  float *mean, *scale;   // slots of docs/FORMAT.md, each [tiles * 32]: out

  SIGNUM_BOTH unsigned salient_groups() const { return salient_splits + 1; }
  SIGNUM_BOTH unsigned groups() const { return splits + 1; }
  SIGNUM_BOTH size_t padded_rows() const { return size_t(shape.tiles()) * kLaneRows; }
};

// group of every element from its |T|; search in tiles.
void make_groups(Device& device, const GroupFit& fit, const float* search, uint8_t* group);
void fit_billm(Device& device, const GroupFit& fit);
void fit_arb(Device& device, const GroupFit& fit, int iterations);

// What arb's fit leaves of T, for the searches: of the other columns in their groups but the last, after
// `passes` passes, where the last group is left as it is; with salient, also of the salient columns in two
// orders and one group. Tiles; room: of the same size.
struct Residual {
  BlockShape shape;
  const BlockChoice* choice;
  const float* search;
  unsigned passes;
  int iterations;
  bool salient;
  float *first, *second;  // room
  float* left;
};
void arb_residual(Device& device, const Residual& residual);

// ARB-X's second phase: means and scales once more, against S = gram [width, width] in order, the signs kept.
void fit_calibrated(Device& device, const GroupFit& fit, const float* gram, int iterations);

}  // namespace signum::cuda
