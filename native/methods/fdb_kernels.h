// One group of a tile under the four levels of fdb (docs/METHODS.md), rows in lanes. A weight takes the
// nearest of 0 (neither plane), a1 (the first), a2 (the second) and a1 + a2 (both), ties to the one named
// first. Nothing here is fused, so the result is the same on every SIMD target.
#pragma once

#include <cstddef>
#include <cstdint>

#include "methods/tiles.h"

namespace signum {

struct FdbScales {
  alignas(64) float first[kTileRows] = {};   // a1
  alignas(64) float second[kTileRows] = {};  // a2
};

// What a least-squares refit of a row needs to know of its planes b1, b2, weighed by the columns' importance
// h.
struct FdbSums {
  alignas(64) float error[kTileRows];  // sum h (w - w_hat)^2
  alignas(64) float ones1[kTileRows];  // sum h b1
  alignas(64) float ones2[kTileRows];  // sum h b2
  alignas(64) float both[kTileRows];   // sum h b1 b2
  alignas(64) float with1[kTileRows];  // sum h b1 w
  alignas(64) float with2[kTileRows];  // sum h b2 w
};

// One group of 16 rows.
struct FdbGroup {
  const float* weight;      // [width][16]
  const float* importance;  // [width], not negative
  size_t width;
};

// error [16] out: as FdbSums::error.
void fdb_error(const FdbGroup& group, const FdbScales& scales, float* error);
void fdb_sums(const FdbGroup& group, const FdbScales& scales, FdbSums& sums);
// plane1, plane2 [width] out: bit r = row r. value [width][16] out: a1 b1 + a2 b2.
void fdb_planes(const FdbGroup& group, const FdbScales& scales, uint16_t* plane1, uint16_t* plane2,
                float* value);

}  // namespace signum
