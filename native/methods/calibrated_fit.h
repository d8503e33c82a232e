// ARB-X's second phase (docs/METHODS.md): with the signs fixed, means and scales of every group are refined
// against the inputs' Gram matrix S of the block, over one tile of 16 rows.
#pragma once

#include "methods/group_kernels.h"

namespace signum {

// In and out: mean, scale in the slots of mean_values. first [columns][16], second [salient][16]: signs -1,
// 0,
// 1. gram [columns][columns]: S, symmetric, in the tile's order of columns.
void calibrated_fit(const float* weight, const TileMasks& masks, const float* gram, int iterations,
                    const float* first, const float* second, float* mean, float* scale);

}  // namespace signum
