// Sums, greatest and smallest over the threads of a warp and of a block, for kernels: always in the same
// order.
#pragma once

#include "cuda/dialect.h"

namespace signum::cuda {

// Of the whole warp, for every lane of it.
template <class T>
__device__ inline T warp_sum(T value) {
  for (unsigned mask = 16; mask > 0; mask /= 2) value += warp_xor(value, mask);
  return value;
}
template <class T>
__device__ inline T warp_max(T value) {
  for (unsigned mask = 16; mask > 0; mask /= 2) {
    const T other = warp_xor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}
template <class T>
__device__ inline T warp_min(T value) {
  for (unsigned mask = 16; mask > 0; mask /= 2) {
    const T other = warp_xor(value, mask);
    value = other < value ? other : value;
  }
  return value;
}

// Of the whole block, for every thread of it. room: 32 elements in shared memory; waits for the block, so the
// same room may be used again at once.
template <class T>
__device__ inline T block_sum(T value, T* room) {
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) room[threadIdx.x / 32] = value;
  __syncthreads();
  T total = 0;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) total += room[w];
  __syncthreads();
  return total;
}
template <class T>
__device__ inline T block_max(T value, T* room) {
  value = warp_max(value);
  if (threadIdx.x % 32 == 0) room[threadIdx.x / 32] = value;
  __syncthreads();
  T greatest = room[0];
  for (unsigned w = 1; w < blockDim.x / 32; ++w) greatest = room[w] > greatest ? room[w] : greatest;
  __syncthreads();
  return greatest;
}

}  // namespace signum::cuda
