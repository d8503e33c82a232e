#include <algorithm>
#include <cmath>

#include "cuda/model/attention.h"
#include "cuda/model/block_reduce.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256;

// Keys of one part of a split query.
constexpr unsigned kPart = 128;
constexpr unsigned kGroup = 8;  // query heads of a kv head whose scores one block has at once

struct QueryProblem {
  AttentionShape shape;
  const uint32_t* past_on_card;
  DeviceView<const float> q, k, v;
  float* sums;     // [parts, heads, head_dim]
  float* largest;  // [parts, heads]
  float* totals;   // [parts, heads]; 0: the part is empty
  DeviceView<float> out;
};

__device__ inline size_t past_of(const QueryProblem& problem) {
  return problem.past_on_card ? size_t(*problem.past_on_card) : problem.shape.past;
}

// Block (part, kv head). A warp takes a key at a time for the scores, lanes across the head; then a thread
// has one number of the head and every kThreads / kDim-th value.
template <unsigned kDim>
__global__ void __launch_bounds__(kThreads) query_kernel(QueryProblem problem) {
  constexpr unsigned kLanes = kDim / 32, kRows = kThreads / kDim;
  __shared__ float scores[kGroup][kPart];
  __shared__ float partial[kRows][kGroup][kDim];
  const AttentionShape& shape = problem.shape;
  const size_t dim = shape.head_dim, group = shape.heads / shape.kv_heads, kv_head = blockIdx.y;
  const size_t seen = past_of(problem) + 1;
  const size_t begin = shape.window == 0 || seen < shape.window ? 0 : seen - shape.window;
  const size_t start = begin + size_t(blockIdx.x) * kPart;
  const unsigned keys = start >= seen ? 0 : seen - start < kPart ? unsigned(seen - start) : kPart;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (size_t first = 0; first < group; first += kGroup) {
    const unsigned heads = group - first < kGroup ? unsigned(group - first) : kGroup;
    const size_t head = kv_head * group + first;
    __syncthreads();  // what the heads before left
    float query[kGroup][kLanes];
#pragma unroll
    for (unsigned h = 0; h < kGroup; ++h)
#pragma unroll
      for (unsigned c = 0; c < kLanes; ++c) {
        const size_t at = lane + c * 32;
        query[h][c] = h < heads && at < dim ? problem.q.data[(head + h) * dim + at] : 0.0f;
      }
    for (unsigned j = warp; j < keys; j += kThreads / 32) {
      const float* key = problem.k.data + (start + j) * problem.k.stride + kv_head * dim;
      float numbers[kLanes];
#pragma unroll
      for (unsigned c = 0; c < kLanes; ++c) numbers[c] = lane + c * 32 < dim ? key[lane + c * 32] : 0.0f;
      for (unsigned h = 0; h < heads; ++h) {
        float score = 0;
#pragma unroll
        for (unsigned c = 0; c < kLanes; ++c) score = fmaf(query[h][c], numbers[c], score);
        for (unsigned mask = 16; mask > 0; mask /= 2) score += warp_xor(score, mask);
        score *= shape.scale;
        if (shape.cap > 0) score = shape.cap * tanhf(score / shape.cap);
        if (lane == 0) scores[h][j] = score;
      }
    }
    __syncthreads();
    // A warp for a head.
    for (unsigned h = warp; h < heads; h += kThreads / 32) {
      float largest = -INFINITY, total = 0;
      for (unsigned j = lane; j < keys; j += 32) largest = fmaxf(largest, scores[h][j]);
      for (unsigned mask = 16; mask > 0; mask /= 2) largest = fmaxf(largest, warp_xor(largest, mask));
      for (unsigned j = lane; j < keys; j += 32) {
        const float weight = expf(scores[h][j] - largest);
        scores[h][j] = weight;
        total += weight;
      }
      for (unsigned mask = 16; mask > 0; mask /= 2) total += warp_xor(total, mask);
      if (lane == 0) {
        const size_t at = size_t(blockIdx.x) * shape.heads + head + h;
        problem.largest[at] = largest;
        problem.totals[at] = total;
      }
    }
    __syncthreads();
    const unsigned column = threadIdx.x % kDim, row = threadIdx.x / kDim;
    float sums[kGroup] = {};
    for (unsigned j = row; j < keys; j += kRows) {
      const float value =
          column < dim ? problem.v.data[(start + j) * problem.v.stride + kv_head * dim + column] : 0.0f;
#pragma unroll
      for (unsigned h = 0; h < kGroup; ++h)
        if (h < heads) sums[h] = fmaf(scores[h][j], value, sums[h]);
    }
#pragma unroll
    for (unsigned h = 0; h < kGroup; ++h) partial[row][h][column] = sums[h];
    __syncthreads();
    for (unsigned i = threadIdx.x; i < heads * kDim; i += kThreads) {
      const unsigned h = i / kDim, c = i % kDim;
      float sum = 0;
      for (unsigned r = 0; r < kRows; ++r) sum += partial[r][h][c];
      if (c < dim) problem.sums[(size_t(blockIdx.x) * shape.heads + head + h) * dim + c] = sum;
    }
  }
}

constexpr unsigned kCombineWarps = 4;

// A block for a head: the parts put together. An empty part's largest score and sums are -infinity and 0.
__global__ void combine_kernel(QueryProblem problem, size_t parts) {
  const AttentionShape& shape = problem.shape;
  const size_t head = blockIdx.x, heads = shape.heads;
  float* weights = shared_memory<float>();  // [parts]
  float largest = -INFINITY;
  for (size_t p = threadIdx.x; p < parts; p += blockDim.x)
    largest = fmaxf(largest, problem.largest[p * heads + head]);
  largest = block_reduce<kCombineWarps>(largest, Larger());
  float total = 0;
  for (size_t p = threadIdx.x; p < parts; p += blockDim.x) {
    const float all = problem.totals[p * heads + head];
    const float weight = all == 0 ? 0.0f : expf(problem.largest[p * heads + head] - largest);
    weights[p] = weight;
    total = fmaf(all, weight, total);
  }
  total = block_reduce<kCombineWarps>(total, Plus());  // its barriers are those of the weights as well
  for (size_t c = threadIdx.x; c < shape.head_dim; c += blockDim.x) {
    const float* sums = problem.sums + head * shape.head_dim + c;
    float sum = 0;
#pragma unroll 4
    for (size_t p = 0; p < parts; ++p) sum = fmaf(sums[p * heads * shape.head_dim], weights[p], sum);
    problem.out.data[head * shape.head_dim + c] = sum / total;
  }
}

size_t parts_of(const QueryAttention& query) {
  const size_t window = query.shape.window;
  return parts(window == 0 ? query.capacity : std::min(window, query.capacity), kPart);
}

}  // namespace

size_t query_attention_floats(const QueryAttention& query) {
  return parts_of(query) * query.shape.heads * (query.shape.head_dim + 2);
}

void attend_query(Device& device, const QueryAttention& query, DeviceView<const float> q,
                  DeviceView<const float> k, DeviceView<const float> v, float* room, DeviceView<float> out) {
  const AttentionShape& shape = query.shape;
  check_head_dim(shape.head_dim);
  const size_t count = parts_of(query), heads = count * shape.heads;
  const QueryProblem problem{shape,
                             query.past_on_card,
                             q,
                             k,
                             v,
                             room,
                             room + heads * shape.head_dim,
                             room + heads * (shape.head_dim + 1),
                             out};
  const Grid grid{dim3(unsigned(count), unsigned(shape.kv_heads)), dim3(kThreads)};
  if (shape.head_dim <= 32)
    launch(device, query_kernel<32>, grid, problem);
  else if (shape.head_dim <= 64)
    launch(device, query_kernel<64>, grid, problem);
  else if (shape.head_dim <= 128)
    launch(device, query_kernel<128>, grid, problem);
  else
    launch(device, query_kernel<256>, grid, problem);
  launch(device, combine_kernel,
         Grid{dim3(unsigned(shape.heads)), dim3(kCombineWarps * 32), count * sizeof(float)}, problem, count);
}

}  // namespace signum::cuda
