// What the kernels of signum-rc's fit of a block work on (methods/signum_block.h).
#pragma once

#include <array>

#include "cuda/methods/block_columns.h"
#include "methods/quantize.h"

namespace signum::cuda {

inline constexpr size_t kPlanes = 3;

// Scales and signs on the card. row [kPlanes][rows], column [kPlanes][kMostWidth], codes [rows, width]: bit k
// is the sign of plane k.
struct SignumScales {
  float *row, *column;
  size_t rows;

  SIGNUM_BOTH float* row_of(size_t k) const { return row + k * rows; }
  SIGNUM_BOTH float* column_of(size_t k) const { return column + k * kMostWidth; }
};

// How many columns of the block have each plane: the first ones, fewer with every plane; [0] is the width.
struct PlaneCounts {
  unsigned of[kPlanes];

  SIGNUM_BOTH unsigned planes() const { return of[1] == 0 ? 1 : of[2] == 0 ? 2 : 3; }
  // The unknowns of the column scales: plane after plane.
  SIGNUM_BOTH unsigned first(unsigned k) const { return k == 0 ? 0 : k == 1 ? of[0] : of[0] + of[1]; }
  SIGNUM_BOTH unsigned unknowns() const { return of[0] + of[1] + of[2]; }
  SIGNUM_BOTH unsigned plane_of(unsigned unknown) const {
    return unknown < of[0] ? 0 : unknown < of[0] + of[1] ? 1 : 2;
  }
};

// A scale with the sign of plane k.
SIGNUM_BOTH inline float signed_value(uint8_t code, unsigned k, float size) {
  return code >> k & 1 ? size : -size;
}

// Step 1, start: row times column scales by alternation over the block as one group (methods/rank_one.h), one
// order or two of which the second has the first second_columns columns. room: partial sums.
struct RankOneRows {
  DeviceView<const float> x;  // [rows, columns]
  unsigned second_columns;    // 0: one order
  bool column_scales;         // false: column scales stay 1
  float *row[2], *column[2];  // scales of both orders, out
  uint8_t* signs;             // [rows, columns]: (sign of the first + 1) + 4 (sign of the second + 1), out
  float* room;                // [rank_one_room(rows)]
};
size_t rank_one_room(size_t rows);
void fit_rank_one(Device& device, const RankOneRows& problem, int iterations);
// rest [rows, rest.columns] = x - both orders: what a third plane starts from.
void rank_one_rest(Device& device, const RankOneRows& problem, DeviceView<float> rest);

// Step 2: nearest of +-r1 c1 (+- r2 c2 (+- r3 c3)) column by column, ties to the first of {---, --+, -+-,
// -++, +--, ...}; each error goes on to the later columns. row_cost [rows] out: ||E||^2 of every row.
void signum_assign(Device& device, const SignumScales& scales, const PlaneCounts& counts,
                   const BlockColumns& block, double* row_cost);

}  // namespace signum::cuda
