// ARB-LLM's alternating refinement of means, scales and signs (docs/METHODS.md, arb) over one tile of 16
// rows; rows do not depend on each other.
#pragma once

#include "methods/group_kernels.h"

namespace signum {

// mean [G + P][16] and scale [2 G + P][16] in the slots of mean_values; first [columns][16], second
// [salient][16]: signs -1, 0, 1.
void arb_fit(const float* weight, const TileMasks& masks, int iterations, float* mean, float* scale,
             float* first, float* second);

// What two orders in one group leave of x [columns][16].
void arb_residual(const float* x, size_t columns, int iterations, float* residual);

// What one order in each group but the last leaves of x [columns][16], whose own size decides the group; the
// last group as it is.
void arb_split_residual(const float* x, size_t columns, const Splits& splits, int iterations,
                        float* residual);

}  // namespace signum
