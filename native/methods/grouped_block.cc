#include "methods/grouped_block.h"

namespace signum {

PackedTensor plane_of_columns(const PackedTensor& wide, const std::vector<uint32_t>& columns,
                              ThreadPool& pool) {
  const size_t rows = wide.shape[0], row_bytes = wide.shape[1];
  BitPlane plane("plane3", rows, columns.size());
  pool.parallel_for(rows, [&](size_t i) {
    const uint8_t* row = wide.bytes.data() + i * row_bytes;
    for (size_t j = 0; j < columns.size(); ++j)
      if (row[columns[j] / 8] >> (columns[j] & 7) & 1) plane.set(i, j);
  });
  return plane.take();
}

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
