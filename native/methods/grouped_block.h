// What BiLLM and the ARB methods share in storing a block: planes from tiles, and the block's error back in
// row order.
#pragma once

#include <cmath>

#include "base/pool.h"
#include "methods/compensation.h"
#include "methods/group_kernels.h"
#include "methods/mask_search.h"
#include "methods/stored.h"

namespace signum {

// One tile's place in the linear: rows from `row`, block columns from `start`, tile column j = block column
// order[j].
struct TilePlace {
  size_t row;
  size_t rows;
  size_t start;
  const uint32_t* order;
};

// One tile's part of a plane, gathered column by column and then written.
class TilePlane {
 public:
  explicit TilePlane(const TilePlace& place, size_t width) : place_(place), masks_(width) {}

  // Tile columns [begin, end): bit = value >= 0.
  void signs(const float* values, size_t begin, size_t end) {
    row_masks(values + begin * kTileRows, end - begin, false, 0, place_.order + begin, masks_.data());
  }
  // Tile columns [begin, end): bit = |T| >= threshold.
  void group(const float* search, size_t begin, size_t end, float threshold) {
    row_masks(search + begin * kTileRows, end - begin, true, threshold, place_.order + begin, masks_.data());
  }
  void write(BitPlane& plane) const {
    plane.put(place_.row, place_.rows, place_.start, masks_.data(), masks_.size());
  }

 private:
  TilePlace place_;
  std::vector<uint16_t> masks_;  // by block column
};

// plane3: the given columns of a plane as wide as the linear.
PackedTensor plane_of_columns(const PackedTensor& wide, const std::vector<uint32_t>& columns,
                              ThreadPool& pool);

// Writes the tile's error (weight - value) / U_jj into rows of error [rows, width].
void put_error(const BlockLoop& loop, const BlockMasks& masks, size_t t, const float* value, View error);

inline TileMasks tile_masks(const BlockMasks& masks, size_t t) {
  return {masks.search.tile(t), masks.search.width(), masks.salient, masks.threshold,
          masks.salient_threshold};
}
inline TilePlace tile_place(const BlockLoop& loop, const BlockMasks& masks, size_t t) {
  return {t * kTileRows, masks.weight.rows_of(t), loop.start(), masks.order.data()};
}

}  // namespace signum
