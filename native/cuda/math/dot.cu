#include <algorithm>

#include "cuda/math/dot.h"
#include "cuda/math/sums.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256;

__global__ void dot_kernel(DeviceView<const float> a, DeviceView<const float> b, double* parts) {
  __shared__ double room[32];
  double sum = 0;
  for (size_t r = blockIdx.x; r < a.rows; r += gridDim.x)
    for (size_t c = threadIdx.x; c < a.columns; c += kThreads)
      sum += double(a.data[r * a.stride + c]) * double(b.data[r * b.stride + c]);
  sum = block_sum(sum, room);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

__global__ void subtract_kernel(DeviceView<const float> a, DeviceView<const float> b, DeviceView<float> out) {
  const size_t c = size_t(blockIdx.x) * kThreads + threadIdx.x;
  if (c >= a.columns) return;
  for (size_t r = blockIdx.y; r < a.rows; r += gridDim.y)
    out.data[r * out.stride + c] = a.data[r * a.stride + c] - b.data[r * b.stride + c];
}

}  // namespace

void dot(Device& device, DeviceView<const float> a, DeviceView<const float> b, double* parts) {
  launch(device, dot_kernel, Grid{dim3(kDotParts), dim3(kThreads)}, a, b, parts);
}
void subtract(Device& device, DeviceView<const float> a, DeviceView<const float> b, DeviceView<float> out) {
  launch(device, subtract_kernel,
         Grid{dim3(parts(a.columns, kThreads), unsigned(std::min<size_t>(a.rows, 32768))), dim3(kThreads)}, a,
         b, out);
}

}  // namespace signum::cuda
