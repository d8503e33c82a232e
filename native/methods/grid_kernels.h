// One group of a tile on its grids, rows in lanes. Nothing here is fused, so the result is the same on every
// SIMD target.
#pragma once

#include <cstddef>

#include "methods/grid.h"

namespace signum {

// weight [width][16]. least, most [16] out: the smallest and the largest weight of every row, and 0.
void tile_ranges(const float* weight, size_t width, float* least, float* most);
// codes [width][16] out: the nearest of 0 .. highest to weight / step + zero, halves to even.
void grid_codes(const float* weight, size_t width, const TileGrids& grids, float highest, float* codes);
// error [16] out: sum |w_hat - w|^2.4, the norm of GPTQ's clipping search; where no row comes out below least
// [16], it may be the sum over the first columns only, not below least either.
void grid_error(const float* weight, size_t width, const TileGrids& grids, float highest, const float* least,
                float* error);

}  // namespace signum
