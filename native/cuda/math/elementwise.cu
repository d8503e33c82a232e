#include <algorithm>

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

__global__ void copy_kernel(DeviceView<const float> from, DeviceView<float> to) {
  const size_t column = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (column >= from.columns) return;
  for (size_t row = blockIdx.y; row < from.rows; row += gridDim.y)
    to.data[row * to.stride + column] = from.data[row * from.stride + column];
}

}  // namespace

void fill(Device& device, float* x, size_t n, float value) {
  launch(device, fill_kernel, one_each(n), x, n, value);
}

void widen(Device& device, const uint16_t* from, size_t n, bool half, float* to) {
  launch(device, widen_kernel, one_each(n), from, n, half, to);
}

void copy(Device& device, DeviceView<const float> from, DeviceView<float> to) {
  const unsigned rows = unsigned(std::min<size_t>(from.rows, 32768));
  launch(device, copy_kernel, Grid{dim3(parts(from.columns, 128), rows), dim3(128)}, from, to);
}

}  // namespace signum::cuda
