#include "dialect_kernels.h"

namespace signum {
namespace {

__global__ void sum_kernel(const float* x, size_t n, float* sum) {
  __shared__ float of_warp[8];
  float own = 0;
  for (size_t i = threadIdx.x; i < n; i += blockDim.x) own += x[i];
  for (unsigned mask = 16; mask > 0; mask /= 2) own += cuda::warp_xor(own, mask);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = own;
  __syncthreads();
  if (threadIdx.x == 0) {
    float all = 0;
    for (int w = 0; w < 8; ++w) all += of_warp[w];
    *sum = all;
  }
}

__global__ void lanes_kernel(unsigned* out) {
  const unsigned lane = threadIdx.x;
  out[lane] = cuda::warp_ballot(lane % 3 == 1);
  out[32 + lane] = cuda::warp_up(lane, 3);
}

__global__ void add_kernel(float* x, size_t n) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) x[i] += 1;
}

}  // namespace

void sum_in_one_block(cuda::Device& device, const float* x, size_t n, float* sum) {
  cuda::launch(device, sum_kernel, cuda::Grid{dim3(1), dim3(256)}, x, n, sum);
}
void try_lanes(cuda::Device& device, unsigned* out) {
  cuda::launch(device, lanes_kernel, cuda::Grid{dim3(1), dim3(32)}, out);
}
void add_one(cuda::Device& device, float* x, size_t n) {
  cuda::launch(device, add_kernel, cuda::one_each(n), x, n);
}

}  // namespace signum
