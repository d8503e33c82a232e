#pragma once

#include "cuda/runtime.h"

namespace signum {

// sum [1] = sum of x[0, n), by one block.
void sum_in_one_block(cuda::Device& device, const float* x, size_t n, float* sum);
// out [0, 32): ballot of lanes 1, 4, 7, ...; out [32, 64): the lane three below.
void try_lanes(cuda::Device& device, unsigned* out);
void add_one(cuda::Device& device, float* x, size_t n);

}  // namespace signum
