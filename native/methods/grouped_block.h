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

// What is stored of a tile's fit: deviations or weights whose sign (>= 0 is +) is the bit. Salient columns
// [salient][16], all columns [columns][16].
struct TileSigns {
  const float* salient_first;
  const float* salient_second;
  const float* others;  // its salient columns are not read
};

// The planes of a linear under construction (docs/FORMAT.md). Different tiles may be written by different
// threads.
class GroupedPlanes {
 public:
  explicit GroupedPlanes(const Layout& layout);

  // A block's salient columns; blocks come from left to right.
  void enter(const BlockLoop& loop, const BlockMasks& masks);
  void write(const TilePlace& place, const TileMasks& masks, const TileSigns& signs);

  size_t salient_columns() const { return salient_columns_.size(); }
  std::vector<PackedTensor> take(ThreadPool& pool);

 private:
  bool bitmap_;  // of column groups
  size_t splits_;
  BitPlane sign_, plane2_, salient_, group2_, second_sign_;
  std::vector<uint32_t> salient_columns_;
};

// Writes the tile's error (weight - value) / U_jj into rows of error [rows, width].
void put_error(const BlockLoop& loop, const BlockMasks& masks, size_t t, const float* value, View error);

inline TileMasks tile_masks(const BlockMasks& masks, size_t t) {
  return {masks.search.tile(t), masks.search.width(), masks.salient, masks.salient_splits, masks.splits};
}
inline TilePlace tile_place(const BlockLoop& loop, const BlockMasks& masks, size_t t) {
  return {t * kTileRows, masks.weight.rows_of(t), loop.start(), masks.order.data()};
}

}  // namespace signum
