// ARB-LLM's alternating refinement of means, scales and signs (docs/METHODS.md, arb) over one tile of 16
// rows; rows do not depend on each other.
#pragma once

#include "methods/group_kernels.h"

namespace signum {

// mean [G + 2][16] and scale [2 G + 2][16] in the slots of mean_values, G = salient_groups; first
// [columns][16], second [salient][16]: signs -1, 0, 1.
void arb_fit(const float* weight, TileMasks masks, size_t salient_groups, int iterations, float* mean,
             float* scale, float* first, float* second);

// What two orders in one group leave of x [columns][16].
void arb_residual(const float* x, size_t columns, int iterations, float* residual);

}  // namespace signum
