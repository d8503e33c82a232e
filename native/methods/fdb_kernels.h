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

// What a least-squares refit of a row needs to know of its planes b1, b2.
struct FdbSums {
  alignas(64) float error[kTileRows];  // sum (w - w_hat)^2
  alignas(64) float ones1[kTileRows];  // sum b1
  alignas(64) float ones2[kTileRows];  // sum b2
  alignas(64) float both[kTileRows];   // sum b1 b2
  alignas(64) float with1[kTileRows];  // sum b1 w
  alignas(64) float with2[kTileRows];  // sum b2 w
};

// weight [width][16]. error [16] out.
void fdb_error(const float* weight, size_t width, const FdbScales& scales, float* error);
void fdb_sums(const float* weight, size_t width, const FdbScales& scales, FdbSums& sums);
// plane1, plane2 [width] out: bit r = row r.
void fdb_planes(const float* weight, size_t width, const FdbScales& scales, uint16_t* plane1,
                uint16_t* plane2);

}  // namespace signum
