// PB-LLM (arXiv 2310.00034) over tiles of 16 rows: means and scales of the binarized weights, and the columns
// of a block one after another, with errors propagated inside the block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "methods/grid.h"

namespace signum {

// mean, scale [16] of the binarized weights of a group. weight [width][16]; salient [width]: bit r = row r is
// salient. Their mean and mean distance from it; with members_only of themselves, else as published: of all
// `width` columns, in which salient weights count as zeros.
void pb_llm_levels(const float* weight, size_t width, const uint16_t* salient, bool members_only, float* mean,
                   float* scale);

// The two levels of the rows of a tile, mean - scale and mean + scale, as stored.
struct PbLlmLevels {
  alignas(64) float mean[kTileRows];
  alignas(64) float scale[kTileRows];
};

// Quantizes columns [begin, end) of a tile, salient weights on their grids with codes 0 .. highest, the
// others to the nearer level. weight [width][16]: compensated weights, updated up to column `width`. u
// [width, width]: U of the block, r_diagonal [width] = 1 / U_jj, salient [width] as above. Out, as floats:
// codes [width][16], of a binarized weight 0 for its lower and (highest + 1) / 2 for its upper level;
// quantized [width][16].
void pb_llm_columns(float* weight, size_t begin, size_t end, size_t width, ConstView u,
                    const float* r_diagonal, const uint16_t* salient, const PbLlmLevels& levels,
                    const TileGrids& grids, float highest, float* codes, float* quantized);

}  // namespace signum
