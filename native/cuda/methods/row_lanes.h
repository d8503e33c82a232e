// What the kernels over tiles share: a row a lane, and the small steps of binarization
// (methods/row_lanes-inl.h, one row at a time). For kernels only.
#pragma once

#include "cuda/dialect.h"
#include "cuda/math/sums.h"
#include "cuda/methods/block_tiles.h"

namespace signum::cuda {

struct Columns {
  unsigned begin, end;
  __device__ unsigned count() const { return end - begin; }
};
__device__ inline Columns columns_of(const BlockChoice& choice, Part part, unsigned width) {
  return part == Part::Salient ? Columns{0, choice.salient} : Columns{choice.salient, width};
}
__device__ inline const float* splits_of(const BlockChoice& choice, Part part) {
  return part == Part::Salient ? choice.salient_at : choice.at;
}
// Weights with |T| below this are left to be split after `passes` passes.
__device__ inline float bound_of(const BlockChoice& choice, Part part, unsigned passes) {
  return passes > 0 ? splits_of(choice, part)[passes - 1] : bits_float(0x7F800000u);
}
// Group of a weight with |T| = size.
__device__ inline unsigned group_of(const float* at, unsigned splits, float size) {
  unsigned group = 0;
  while (group < splits && size < at[group]) ++group;
  return group;
}

// sum / count, 0 for an empty group.
__device__ inline float mean_or_zero(float sum, float count) {
  return count > 0 ? sum / fmaxf(count, 1.0f) : 0.0f;
}
// x - alpha sign(x), sign(0) = 0.
__device__ inline float residual_of(float x, float alpha) { return x != 0 ? x - copysignf(alpha, x) : x; }
__device__ inline float sign_of(float x) { return x != 0 ? copysignf(1.0f, x) : 0.0f; }
// +scale where the bit (deviation >= 0) is 1, else -scale; scale itself may be negative.
__device__ inline float with_bit(float deviation, float scale) { return deviation >= 0 ? scale : -scale; }

// (s1, s2) = nearest of {-p-q, -p+q, p-q, p+q} to x, ties to the first.
__device__ inline void nearest_of_four(float x, float p, float q, float& s1, float& s2) {
  const float sum = p + q, difference = p - q;
  float best = fabsf(x + sum);
  s1 = s2 = -1;
  const auto better = [&](float distance, float first, float second) {
    if (distance < best) best = distance, s1 = first, s2 = second;
  };
  better(fabsf(x + difference), -1, 1);
  better(fabsf(x - difference), 1, -1);
  better(fabsf(x - sum), 1, 1);
}

// One order over the members of columns [begin, end) of a row whose elements lie 32 apart: mean and alpha.
// value(j), member(j); put(j, deviation) for members.
template <class Value, class Member, class Put>
__device__ inline void one_order(Columns columns, const Value& value, const Member& member, const Put& put,
                                 float& mean, float& alpha) {
  float sum = 0, count = 0;
  for (unsigned j = columns.begin; j < columns.end; ++j)
    if (member(j)) sum += value(j), count += 1;
  mean = mean_or_zero(sum, count);
  float size = 0;
  for (unsigned j = columns.begin; j < columns.end; ++j)
    if (member(j)) {
      const float x = value(j) - mean;
      size += fabsf(x);
      put(j, x);
    }
  alpha = mean_or_zero(size, count);
}

// Sums of `count` numbers (at most 256) over what `parts` tiles have left, [parts][stride], always in the
// same order, by a block of 1024 threads: totals [count] in `room` [1024], in shared memory, for every
// thread.
inline constexpr unsigned kSumThreads = 1024;
__device__ inline void sum_tiles(const double* partial, size_t parts, unsigned stride, unsigned count,
                                 double* room) {
  const unsigned lanes = count <= 128 ? 128 : 256, c = threadIdx.x % lanes, chains = kSumThreads / lanes;
  double sum = 0;
  if (c < count)
    for (size_t p = threadIdx.x / lanes; p < parts; p += chains) sum += partial[p * stride + c];
  room[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x < count)
    for (unsigned k = 1; k < chains; ++k) sum += room[k * lanes + c];
  __syncthreads();
  if (threadIdx.x < count) room[c] = sum;
  __syncthreads();
}
// The first of the least of errors [begin, end).
__device__ inline unsigned first_minimum(const double* errors, unsigned begin, unsigned end) {
  unsigned best = begin;
  for (unsigned i = begin + 1; i < end; ++i)
    if (errors[i] < errors[best]) best = i;
  return best;
}

}  // namespace signum::cuda
