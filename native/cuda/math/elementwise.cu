#include "cuda/math/elementwise.h"

namespace signum::cuda {
namespace {

__global__ void fill_kernel(float* x, size_t n, float value) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) x[i] = value;
}

__global__ void widen_kernel(const uint16_t* from, size_t n, bool half, float* to) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) to[i] = half ? from_half(from[i]) : from_bfloat(from[i]);
}

}  // namespace

void fill(Device& device, float* x, size_t n, float value) {
  launch(device, fill_kernel, one_each(n), x, n, value);
}

void widen(Device& device, const uint16_t* from, size_t n, bool half, float* to) {
  launch(device, widen_kernel, one_each(n), from, n, half, to);
}

}  // namespace signum::cuda
