// What a kernel may use. Kernels are plain CUDA but for this: nvcc compiles them for a card, and a C++
// compiler for the emulated device (emulated/machine.h), which runs the same code on the CPU so that every
// kernel is tested on machines without a card. Hence the rules:
//   - kernels are started by launch() (cuda/runtime.h), never by <<< >>>;
//   - threads of a block are a multiple of 32, and none returns before a barrier or a warp operation that
//     others reach; warp operations are those below, always of the whole warp;
//   - dynamic shared memory is shared_memory<T>(); static __shared__ arrays are as in CUDA;
//   - no float atomics, no managed memory, nothing that needs a card of 8.0 or later to compile: such code
//     stands behind `#ifdef __CUDA_ARCH__` with a plain way beside it.
// Nothing is fused (-fmad=false), so a kernel that sums in the CPU's order gives the CPU's bytes; where
// speed asks for it, fmaf() says so.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef SIGNUM_EMULATED

#include "emulated/machine.h"

#else

#include <cuda_runtime.h>

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define SIGNUM_BOTH __host__ __device__

namespace signum::cuda {

template <class T>
__device__ inline T* shared_memory() {
  extern __shared__ __align__(128) unsigned char dynamic_shared_memory[];
  return reinterpret_cast<T*>(dynamic_shared_memory);
}

template <class T>
__device__ inline T warp_from(T value, unsigned lane) {
  return __shfl_sync(0xFFFFFFFFu, value, int(lane));
}
template <class T>
__device__ inline T warp_xor(T value, unsigned mask) {
  return __shfl_xor_sync(0xFFFFFFFFu, value, int(mask));
}
// The value of the lane `distance` below, or one's own where there is none.
template <class T>
__device__ inline T warp_up(T value, unsigned distance) {
  return __shfl_up_sync(0xFFFFFFFFu, value, distance);
}
__device__ inline unsigned warp_ballot(bool yes) { return __ballot_sync(0xFFFFFFFFu, yes); }
__device__ inline void warp_barrier() { __syncwarp(); }

__device__ inline float from_half(uint16_t bits) { return __half2float(__ushort_as_half(bits)); }
__device__ inline uint16_t to_half(float value) { return __half_as_ushort(__float2half_rn(value)); }
__device__ inline float from_bfloat(uint16_t bits) { return __uint_as_float(unsigned(bits) << 16); }
__device__ inline uint16_t to_bfloat(float value) { return __bfloat16_as_ushort(__float2bfloat16_rn(value)); }
__device__ inline unsigned float_bits(float value) { return __float_as_uint(value); }
__device__ inline float bits_float(unsigned bits) { return __uint_as_float(bits); }

}  // namespace signum::cuda

#else
#define SIGNUM_BOTH
#endif
#endif
