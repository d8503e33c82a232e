// Reductions over the threads of a warp or a block, always in the same order. For kernels only.
#pragma once

#include "cuda/dialect.h"

namespace signum::cuda {

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// Every lane of the warp gets the result.
template <class T, class Operation>
__device__ inline T warp_reduce(T own, Operation operation) {
  for (unsigned mask = 16; mask > 0; mask /= 2) own = operation(own, warp_xor(own, mask));
  return own;
}

// Every thread of a block of kWarps warps in one dimension gets the result; one warp needs no barrier.
template <unsigned kWarps, class T, class Operation>
__device__ inline T block_reduce(T own, Operation operation) {
  own = warp_reduce(own, operation);
  if constexpr (kWarps == 1) {
    return own;
  } else {
    __shared__ T of_warp[kWarps];
    __syncthreads();  // the reduction before this one has been read
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = own;
    __syncthreads();
    T all = of_warp[0];
    for (unsigned w = 1; w < kWarps; ++w) all = operation(all, of_warp[w]);
    return all;
  }
}

// Sum over i = first, first + step, ... below n of term(i): runs of eight in F32, and those in F64. As the
// CPU's sums, which keep F32 lanes for 512 elements, it differs from the exact one by F32 rounding of a few
// terms.
template <class Term>
__device__ inline double sum_of(size_t first, size_t step, size_t n, const Term& term) {
  double total = 0;
  for (size_t i = first; i < n;) {
    float run = 0;
    for (int k = 0; k < 8 && i < n; ++k, i += step) run += term(i);
    total += double(run);
  }
  return total;
}

}  // namespace signum::cuda
