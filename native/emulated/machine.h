// The emulated device: runs the kernels of native/cuda on the CPU, thread by thread, with their barriers and
// warp operations (cuda/dialect.h). It answers whether a kernel is right, never how fast it is. Threads run
// one after another between barriers, in rising or, when asked, in falling order: what differs between the
// two depends on a barrier that is missing.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>

#include "base/half.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static thread_local
#define __launch_bounds__(...)
#define SIGNUM_BOTH
#define threadIdx (::signum::emulated::here->thread)
#define blockIdx (::signum::emulated::here->block)
#define blockDim (::signum::emulated::here->threads)
#define gridDim (::signum::emulated::here->blocks)

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

namespace signum::emulated {

struct Here {
  dim3 thread, block, threads, blocks;
  unsigned flat = 0;  // of the thread in its block
  unsigned char* shared = nullptr;
};
extern thread_local Here* here;

inline constexpr unsigned kWarp = 32;

void block_barrier();
void warp_barrier();
// Room of the calling thread's warp: what each lane has given, 8 bytes a lane, for two operations in turn.
unsigned char (*warp_slots())[8];

enum class Order { Rising, Falling };
// For the whole process; not during a launch.
void run_threads_in(Order order);

// Calls body() for every thread. shared: bytes. Ends the process with a sentence when threads wait for ever.
void run_grid(dim3 blocks, dim3 threads, size_t shared, const std::function<void()>& body);

template <class T>
T exchange(T value, unsigned lane) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  unsigned char(*slots)[8] = warp_slots();
  std::memcpy(slots[here->flat % kWarp], &value, sizeof(T));
  warp_barrier();
  std::memcpy(&value, slots[lane % kWarp], sizeof(T));
  return value;
}

}  // namespace signum::emulated

namespace signum::cuda {

template <class T>
T* shared_memory() {
  return reinterpret_cast<T*>(emulated::here->shared);
}
template <class T>
T warp_from(T value, unsigned lane) {
  return emulated::exchange(value, lane);
}
template <class T>
T warp_xor(T value, unsigned mask) {
  return emulated::exchange(value, (emulated::here->flat % emulated::kWarp) ^ mask);
}
template <class T>
T warp_up(T value, unsigned distance) {
  const unsigned lane = emulated::here->flat % emulated::kWarp;
  return emulated::exchange(value, lane >= distance ? lane - distance : lane);
}
unsigned warp_ballot(bool yes);
inline void warp_barrier() { emulated::warp_barrier(); }

inline float from_half(uint16_t bits) { return half_to_float(bits); }
inline uint16_t to_half(float value) { return float_to_half(value); }
inline float from_bfloat(uint16_t bits) { return bfloat_to_float(bits); }
inline uint16_t to_bfloat(float value) { return float_to_bfloat(value); }
inline unsigned float_bits(float value) { return std::bit_cast<unsigned>(value); }
inline float bits_float(unsigned bits) { return std::bit_cast<float>(bits); }

}  // namespace signum::cuda

inline void __syncthreads() { ::signum::emulated::block_barrier(); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __popcll(unsigned long long bits) { return std::popcount(bits); }
inline int __ffs(unsigned bits) { return bits ? std::countr_zero(bits) + 1 : 0; }
inline int __clz(unsigned bits) { return std::countl_zero(bits); }
inline unsigned __brev(unsigned bits) {
  unsigned out = 0;
  for (int i = 0; i < 32; ++i) out |= (bits >> i & 1u) << (31 - i);
  return out;
}
template <class T>
T __ldg(const T* p) {
  return *p;
}
template <class T>
T __ldcg(const T* p) {
  return *p;
}
inline float __expf(float x) { return std::exp(x); }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline unsigned atomicAdd(unsigned* at, unsigned value) {
  return __atomic_fetch_add(at, value, __ATOMIC_ACQ_REL);
}
inline unsigned long long atomicAdd(unsigned long long* at, unsigned long long value) {
  return __atomic_fetch_add(at, value, __ATOMIC_ACQ_REL);
}
inline unsigned atomicOr(unsigned* at, unsigned value) {
  return __atomic_fetch_or(at, value, __ATOMIC_ACQ_REL);
}
inline unsigned atomicMin(unsigned* at, unsigned value) {
  unsigned old = __atomic_load_n(at, __ATOMIC_ACQUIRE);
  while (value < old &&
         !__atomic_compare_exchange_n(at, &old, value, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
  }
  return old;
}
inline unsigned atomicMax(unsigned* at, unsigned value) {
  unsigned old = __atomic_load_n(at, __ATOMIC_ACQUIRE);
  while (value > old &&
         !__atomic_compare_exchange_n(at, &old, value, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
  }
  return old;
}
