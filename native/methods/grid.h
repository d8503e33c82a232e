// The integer grids of RTN and GPTQ, as GPTQ's published quantizer makes them (arXiv 2210.17323): the range
// of a row over a group, widened to 0, in 2^bits - 1 steps.
#pragma once

#include "methods/grid_step.h"
#include "methods/quantize.h"
#include "methods/tiles.h"

namespace signum {

// The grids of 16 rows: code c, 0 .. 2^bits - 1, is the value step (c - zero).
struct TileGrids {
  alignas(64) float step[kTileRows];  // as stored, > 0
  alignas(64) float zero[kTileRows];  // an integer; 2^(bits - 1) where the recipe is symmetric
};

inline float highest_code(int bits) { return float((1 << bits) - 1); }
// The smallest step that the storage type holds.
inline float least_step(DType type) { return type == DType::F16 ? 0x1p-24f : 0x1p-126f; }

// weight [width][16]. Of the recipe: bits, symmetric, clip_search, scale_type. A row of zeros has the range
// [-1, 1].
TileGrids tile_grids(const float* weight, size_t width, const Recipe& recipe);

}  // namespace signum
