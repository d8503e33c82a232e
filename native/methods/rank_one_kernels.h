// Half-steps of ARB-RC (docs/METHODS.md) over one tile: row scales are solved here, the sums for the column
// scales are added up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "methods/splits.h"

namespace signum {

// Which weights of a tile belong to which group.
struct TileGroups {
  const float* search;  // T tile [columns][16]; unused with one group
  Splits splits;

  size_t groups() const { return splits.groups(); }
};

// Sums over rows for the column scales, by lane: [groups][columns][16] each.
// column_scale = numerator / (denominator + 1e-8).
struct ColumnSums {
  float* numerator;
  float* denominator;
};

// Order 1, start: row_scale = mean |x|, sums of |x| / row_scale and of members. x [columns][16];
// row_scale [groups][16] out.
void rank_one_start(const float* x, TileGroups groups, size_t columns, float* row_scale, ColumnSums sums);

// Members of each group that are not zero, as bits laid out for the machine's vectors; room for kMaskBytes
// per column and group.
inline constexpr size_t kMaskBytes = 32;
void member_masks(const float* x, TileGroups groups, size_t columns, uint8_t* masks);

// Order 1, one update with the given column_scale [groups][columns]. sign(x) x = |x|, and a weight of exactly
// zero has sign 0.
void rank_one_update(const float* x, size_t groups, const uint8_t* masks, size_t columns,
                     const float* column_scale, float* row_scale, ColumnSums sums);

// Order 2, start of the second order: residual of the first, its signs and scales. sign1, sign2 [columns][16]
// out (-1, 0, 1). Only the first `second` columns have (and count for) a second order.
void rank_two_start(const float* x, TileGroups groups, size_t columns, size_t second,
                    const float* column_scale1, const float* row_scale1, float* sign1, float* sign2,
                    float* row_scale2, ColumnSums sums);

// Order 2: one order's scales from x minus the other order.
void rank_two_step(const float* x, TileGroups groups, size_t columns, const float* sign,
                   const float* column_scale, float* row_scale, const float* other_sign,
                   const float* other_column_scale, const float* other_row_scale, ColumnSums sums);

// Order 2: (sign1, sign2) = nearest of {-p-q, -p+q, p-q, p+q} to x, ties to the first.
void rank_two_assign(const float* x, TileGroups groups, size_t columns, const float* column_scale1,
                     const float* row_scale1, const float* column_scale2, const float* row_scale2,
                     float* sign1, float* sign2);

}  // namespace signum
