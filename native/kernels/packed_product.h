// y = W x straight from a linear's packed tensors: no dense copy is ever made (docs/FORMAT.md has the
// layouts).
#pragma once

#include "methods/packed_view.h"

namespace signum {

class ThreadPool;

// x [columns], y [rows], F32; equal to the decoder's W times x within 1e-5 of sum |w x|. The result does not
// depend on the pool's size. `linear` must have passed check_view().
void multiply(const PackedView& linear, const float* x, float* y, ThreadPool& pool);

}  // namespace signum
