// Stored elements as F32, and fused products, for kernels.
#pragma once

#include "cuda/dialect.h"

namespace signum::cuda {

__device__ inline float stored_value(float value, bool) { return value; }
__device__ inline double stored_value(double value, bool) { return value; }
// F16 (half) or BF16.
__device__ inline float stored_value(uint16_t bits, bool half) {
  return half ? from_half(bits) : from_bfloat(bits);
}

__device__ inline float fused(float a, float b, float c) { return fmaf(a, b, c); }
__device__ inline double fused(double a, double b, double c) { return fma(a, b, c); }

}  // namespace signum::cuda
