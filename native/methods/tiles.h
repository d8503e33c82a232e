// A block of weights [rows, width] cut into tiles of 16 rows, rows across SIMD lanes: a row's sums run over
// its columns in the same order on every machine, and no sum over lanes is needed inside a row.
#pragma once

#include <algorithm>

#include "base/matrix.h"

namespace signum {

inline constexpr size_t kTileRows = 16;
inline size_t tiles_of(size_t rows) { return (rows + kTileRows - 1) / kTileRows; }

// Element (r, j) lies at tile(r / 16)[j * 16 + r % 16]. Rows beyond `rows` are zero.
class Tiles {
 public:
  Tiles() = default;
  Tiles(size_t rows, size_t width)
      : rows_(rows),
        width_(width),
        count_((rows + kTileRows - 1) / kTileRows),
        data_(aligned_array<float>(count_ * width * kTileRows)) {}

  size_t rows() const { return rows_; }
  size_t width() const { return width_; }
  size_t count() const { return count_; }
  float* tile(size_t t) { return data_.get() + t * width_ * kTileRows; }
  const float* tile(size_t t) const { return data_.get() + t * width_ * kTileRows; }
  size_t rows_of(size_t t) const { return std::min(kTileRows, rows_ - t * kTileRows); }

  // Tile t from rows of a matrix view [rows, width] of the whole block.
  void load(size_t t, ConstView block) {
    float* out = tile(t);
    const size_t lanes = rows_of(t);
    for (size_t lane = 0; lane < kTileRows; ++lane) {
      if (lane < lanes) {
        const float* row = block.row(t * kTileRows + lane);
        for (size_t j = 0; j < width_; ++j) out[j * kTileRows + lane] = row[j];
      } else {
        for (size_t j = 0; j < width_; ++j) out[j * kTileRows + lane] = 0;
      }
    }
  }

  // The opposite: tile t into rows of a matrix view [rows, width] of the whole block.
  void store(size_t t, View block) const {
    const float* from = tile(t);
    for (size_t lane = 0; lane < rows_of(t); ++lane) {
      float* row = block.row(t * kTileRows + lane);
      for (size_t j = 0; j < width_; ++j) row[j] = from[j * kTileRows + lane];
    }
  }

 private:
  size_t rows_ = 0;
  size_t width_ = 0;
  size_t count_ = 0;
  std::unique_ptr<float[], AlignedFree> data_;
};

}  // namespace signum
