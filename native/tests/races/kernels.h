// Kernels that are wrong on purpose, and one that is right.
#pragma once

#include "cuda/runtime.h"

namespace signum {

// x [64] turned round, with a barrier between writing and reading or without.
void reverse(cuda::Device& device, float* x, bool with_barrier);
// x [1000]: many blocks add to the same numbers.
void add_at_one_place(cuda::Device& device, float* x);

}  // namespace signum
