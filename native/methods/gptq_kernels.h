// One tile of GPTQ: 16 rows, columns one after another, errors propagated inside the block (arXiv
// 2210.17323).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "methods/grid.h"

namespace signum {

// Quantizes columns [begin, end) of a tile. weight [width][16]: compensated weights, updated up to column
// `width`. u [width, width]: U of the block, and r_diagonal [width] = 1 / U_jj. Codes go up to `highest`.
// codes [width][16] out, as floats. quantized [width][16] out.
void gptq_columns(float* weight, size_t begin, size_t end, size_t width, ConstView u, const float* r_diagonal,
                  const TileGrids& grids, float highest, float* codes, float* quantized);

}  // namespace signum
