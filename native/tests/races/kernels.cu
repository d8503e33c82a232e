#include "kernels.h"

namespace signum {
namespace {

template <bool kBarrier>
__global__ void reverse_kernel(float* x) {
  __shared__ float of_thread[64];
  of_thread[threadIdx.x] = x[threadIdx.x];
  if (kBarrier) __syncthreads();
  x[threadIdx.x] = of_thread[63 - threadIdx.x];
}

__global__ void one_place_kernel(float* x) {
  for (int i = 0; i < 1000; ++i)
    if (threadIdx.x == 0) x[i] += float(blockIdx.x);
}

}  // namespace

void reverse(cuda::Device& device, float* x, bool with_barrier) {
  cuda::launch(device, with_barrier ? reverse_kernel<true> : reverse_kernel<false>,
               cuda::Grid{dim3(1), dim3(64)}, x);
}
void add_at_one_place(cuda::Device& device, float* x) {
  cuda::launch(device, one_place_kernel, cuda::Grid{dim3(64), dim3(32)}, x);
}

}  // namespace signum
