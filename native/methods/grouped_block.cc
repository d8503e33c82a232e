#include "methods/grouped_block.h"

namespace signum {

void put_error(const BlockLoop& loop, const BlockMasks& masks, size_t t, const float* value, View error) {
  const size_t width = masks.weight.width();
  std::vector<float> r_diagonal(width);
  for (size_t j = 0; j < width; ++j) r_diagonal[j] = loop.r_block()(masks.order[j], masks.order[j]);
  auto scaled = aligned_array<float>(width * kTileRows);
  scaled_difference(masks.weight.tile(t), value, r_diagonal.data(), width, scaled.get());
  for (size_t lane = 0; lane < masks.weight.rows_of(t); ++lane) {
    float* row = error.row(t * kTileRows + lane);
    for (size_t j = 0; j < width; ++j) row[masks.order[j]] = scaled[j * kTileRows + lane];
  }
}

}  // namespace signum
