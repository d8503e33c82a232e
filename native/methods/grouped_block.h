// What BiLLM and ARB-RC share in storing a block: planes from tiles, and the block's error back in row order.
#pragma once

#include <cmath>

#include "base/pool.h"
#include "methods/compensation.h"
#include "methods/group_kernels.h"
#include "methods/mask_search.h"
#include "methods/stored.h"

namespace signum {

// One tile's place in the linear: rows from `row`, block columns from `start`, tile column j = block column order[j].
struct TilePlace {
  size_t row;
  size_t rows;
  size_t start;
  const uint32_t* order;
};

inline void put_bit(BitPlane& plane, const TilePlace& place, size_t j, size_t lane) {
  plane.set(place.row + lane, place.start + place.order[j]);
}

// Sets the bit of every element of tile columns [begin, end) whose value is >= 0.
inline void put_signs(BitPlane& plane, const TilePlace& place, const float* values, size_t begin, size_t end) {
  for (size_t j = begin; j < end; ++j)
    for (size_t lane = 0; lane < place.rows; ++lane)
      if (values[j * kTileRows + lane] >= 0) put_bit(plane, place, j, lane);
}

// Sets the bit of every element of tile columns [begin, end) with |T| >= threshold.
inline void put_group(BitPlane& plane, const TilePlace& place, const float* search, size_t begin, size_t end, float threshold) {
  for (size_t j = begin; j < end; ++j)
    for (size_t lane = 0; lane < place.rows; ++lane)
      if (std::fabs(search[j * kTileRows + lane]) >= threshold) put_bit(plane, place, j, lane);
}

// Writes the tile's error (weight - value) / U_jj into rows of error [rows, width].
void put_error(const BlockLoop& loop, const BlockMasks& masks, size_t t, const float* value, View error);

inline TileMasks tile_masks(const BlockMasks& masks, size_t t) {
  return {masks.search.tile(t), masks.search.width(), masks.salient, masks.threshold, masks.salient_threshold};
}
inline TilePlace tile_place(const BlockLoop& loop, const BlockMasks& masks, size_t t) {
  return {t * kTileRows, masks.weight.rows_of(t), loop.start(), masks.order.data()};
}

}  // namespace signum
