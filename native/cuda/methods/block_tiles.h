// A block of weights on the card as the kernels of BiLLM and the ARB methods see it, and what they have
// decided about it: decisions stay on the card, where the next kernel reads them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/dialect.h"
#include "methods/splits.h"

namespace signum::cuda {

// [rows, width] cut into tiles of 32 rows, a row a lane: element (r, j) lies at
// (r / 32 * width + j) * 32 + r % 32. Rows beyond `rows` are zero.
inline constexpr unsigned kLaneRows = 32;
inline constexpr unsigned kMaxWidth = 256;  // largest blocksize

struct BlockShape {
  size_t rows = 0;
  unsigned width = 0;

  SIGNUM_BOTH unsigned tiles() const { return unsigned((rows + kLaneRows - 1) / kLaneRows); }
  SIGNUM_BOTH size_t size() const { return size_t(tiles()) * kLaneRows * width; }
};

// The first `salient` columns of a block in its order, or those behind them.
enum class Part : uint8_t { Salient, Others };

struct BlockChoice {
  uint32_t salient;
  float salient_at[kMaxSplits];  // methods/splits.h
  float at[kMaxSplits];
  double least;       // of the splits of the other columns: the least error of the passes so far
  uint32_t improves;  // of the salient columns' splits: whether the last pass was of use
};

// Thresholds are tried in this number.
inline constexpr unsigned kThresholds = 81;
// Room for the errors of one tile, or of a few rows: the thresholds and what else is added up with them.
inline constexpr unsigned kErrorSlots = 96;
inline constexpr unsigned kUnsplitSlot = 81;  // of no split at all
inline constexpr unsigned kFittedSlot = 82;   // of the groups that passes before have made

}  // namespace signum::cuda
