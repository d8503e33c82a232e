// Scalars as they will be stored, for kernels.
#pragma once

#include "base/dtype.h"
#include "cuda/dialect.h"

namespace signum::cuda {

// The value that a reader of the file will see: F16, BF16 or F32.
__device__ inline float as_stored(DType type, float value) {
  if (type == DType::F16) return from_half(to_half(value));
  if (type == DType::BF16) return from_bfloat(to_bfloat(value));
  return value;
}

}  // namespace signum::cuda
