#include <algorithm>
#include <cmath>
#include <string>

#include "cuda/model/attention.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kSide = 16;  // threads in a square of 16 x 16: down the queries, along the keys

struct Problem {
  AttentionShape shape;
  DeviceView<const float> q, k, v;
  DeviceView<float> out;
};

// rows x kDim numbers of a head into shared memory, rows of kDim + 4, zeros where there are none.
template <unsigned kDim, unsigned kRows>
__device__ inline void load_tile(DeviceView<const float> from, size_t row, size_t rows, size_t column,
                                 size_t dim, float* to) {
  for (unsigned i = threadIdx.x; i < kRows * kDim; i += kThreads) {
    const unsigned r = i / kDim, c = i % kDim;
    to[r * (kDim + 4) + c] = r < rows && c < dim ? from.data[(row + r) * from.stride + column + c] : 0.0f;
  }
}

// Over the 16 threads along the keys.
__device__ inline float side_maximum(float x) {
  for (unsigned mask = kSide / 2; mask > 0; mask /= 2) x = fmaxf(x, warp_xor(x, mask));
  return x;
}
__device__ inline float side_sum(float x) {
  for (unsigned mask = kSide / 2; mask > 0; mask /= 2) x += warp_xor(x, mask);
  return x;
}

// A tile of kQueries queries of a head against all keys that they see, kKeys at a time. Thread (down, along)
// has the queries down + 16 i and the keys along + 16 j; of the output the same queries, and kWidth numbers
// from along * kWidth + c * 16 * kWidth on. Keys and values take turns in one piece of shared memory.
template <unsigned kDim, unsigned kQueries, unsigned kKeys>
__global__ void __launch_bounds__(kThreads) attention_kernel(Problem problem) {
  constexpr unsigned kWidth = kDim % 64 == 0 ? 4 : 2, kChunks = kDim / (kSide * kWidth);
  constexpr unsigned kRows = kQueries / kSide, kColumns = kKeys / kSide;
  constexpr unsigned kStride = kDim + 4, kScores = kKeys + 4;
  const AttentionShape& shape = problem.shape;
  float* queries = shared_memory<float>();     // [kQueries, kStride]
  float* held = queries + kQueries * kStride;  // [kKeys, kStride]
  float* weights = held + kKeys * kStride;     // [kQueries, kScores]
  const unsigned down = threadIdx.x / kSide, along = threadIdx.x % kSide;
  // Long tiles first: the short ones fill the end evenly.
  const size_t first = size_t(gridDim.x - 1 - blockIdx.x) * kQueries;
  const size_t head = blockIdx.y, sequence = blockIdx.z, dim = shape.head_dim;
  const size_t kv_head = head / (shape.heads / shape.kv_heads);
  const size_t count = shape.length - first < kQueries ? shape.length - first : kQueries;
  const size_t keys_of = shape.past + shape.length;
  const size_t window = shape.window == 0 ? keys_of : shape.window;
  const size_t token = shape.past + first;  // of the first query
  const size_t begin = token + 1 > window ? token + 1 - window : 0, end = token + count;

  load_tile<kDim, kQueries>(problem.q, sequence * shape.length + first, count, head * dim, dim, queries);
  float largest[kRows], total[kRows], sums[kRows][kChunks][kWidth] = {};
#pragma unroll
  for (unsigned i = 0; i < kRows; ++i) {
    largest[i] = -INFINITY;
    total[i] = 0;
  }
  for (size_t start = begin; start < end; start += kKeys) {
    const size_t keys = end - start < kKeys ? end - start : kKeys, row = sequence * keys_of + start;
    __syncthreads();  // the values before have been used
    load_tile<kDim, kKeys>(problem.k, row, keys, kv_head * dim, dim, held);
    __syncthreads();
    float scores[kRows][kColumns] = {};
    for (unsigned c = 0; c < kDim; c += 4) {
      float4 key[kColumns];
#pragma unroll
      for (unsigned j = 0; j < kColumns; ++j)
        key[j] = *reinterpret_cast<const float4*>(held + (along + j * kSide) * kStride + c);
#pragma unroll
      for (unsigned i = 0; i < kRows; ++i) {
        const float4 query = *reinterpret_cast<const float4*>(queries + (down + i * kSide) * kStride + c);
#pragma unroll
        for (unsigned j = 0; j < kColumns; ++j) {
          float& score = scores[i][j];
          score = fmaf(query.x, key[j].x, score);
          score = fmaf(query.y, key[j].y, score);
          score = fmaf(query.z, key[j].z, score);
          score = fmaf(query.w, key[j].w, score);
        }
      }
    }
#pragma unroll
    for (unsigned i = 0; i < kRows; ++i) {
      const size_t last = token + down + i * kSide;  // that this query sees
      float maximum = largest[i];
#pragma unroll
      for (unsigned j = 0; j < kColumns; ++j) {
        const size_t at = start + along + j * kSide;
        float& score = scores[i][j];
        score *= shape.scale;
        if (shape.cap > 0) score = shape.cap * tanhf(score / shape.cap);
        if (at > last || at + window <= last || at >= end)
          score = -INFINITY;
        else
          maximum = fmaxf(maximum, score);
      }
      maximum = side_maximum(maximum);
      // Nothing seen yet: both are -infinity.
      const float shrink = largest[i] == maximum ? 1.0f : expf(largest[i] - maximum);
      largest[i] = maximum;
      float sum = 0;
#pragma unroll
      for (unsigned j = 0; j < kColumns; ++j) {
        const size_t at = start + along + j * kSide;
        const bool hidden = at > last || at + window <= last || at >= end;
        const float weight = hidden ? 0.0f : expf(scores[i][j] - maximum);
        sum += weight;
        weights[(down + i * kSide) * kScores + along + j * kSide] = weight;
      }
      total[i] = total[i] * shrink + side_sum(sum);
#pragma unroll
      for (unsigned c = 0; c < kChunks; ++c)
#pragma unroll
        for (unsigned w = 0; w < kWidth; ++w) sums[i][c][w] *= shrink;
    }
    __syncthreads();  // keys have been used, weights are there
    load_tile<kDim, kKeys>(problem.v, row, keys, kv_head * dim, dim, held);
    __syncthreads();
    for (unsigned at = 0; at < kKeys; at += 4) {
      float4 weight[kRows];
#pragma unroll
      for (unsigned i = 0; i < kRows; ++i)
        weight[i] = *reinterpret_cast<const float4*>(weights + (down + i * kSide) * kScores + at);
#pragma unroll
      for (unsigned step = 0; step < 4; ++step)
#pragma unroll
        for (unsigned c = 0; c < kChunks; ++c) {
          const float* value = held + (at + step) * kStride + (c * kSide + along) * kWidth;
          float values[kWidth];
          if constexpr (kWidth == 4) {
            const float4 four = *reinterpret_cast<const float4*>(value);
            values[0] = four.x, values[1] = four.y, values[2] = four.z, values[3] = four.w;
          } else {
            values[0] = value[0], values[1] = value[1];
          }
#pragma unroll
          for (unsigned i = 0; i < kRows; ++i) {
            const float by = step == 0   ? weight[i].x
                             : step == 1 ? weight[i].y
                             : step == 2 ? weight[i].z
                                         : weight[i].w;
#pragma unroll
            for (unsigned w = 0; w < kWidth; ++w) sums[i][c][w] = fmaf(by, values[w], sums[i][c][w]);
          }
        }
    }
  }
#pragma unroll
  for (unsigned i = 0; i < kRows; ++i) {
    const size_t query = down + i * kSide;
    if (query >= count) continue;
    float* to =
        problem.out.data + (sequence * shape.length + first + query) * problem.out.stride + head * dim;
    const float scale = 1.0f / total[i];
#pragma unroll
    for (unsigned c = 0; c < kChunks; ++c)
#pragma unroll
      for (unsigned w = 0; w < kWidth; ++w) {
        const size_t at = (c * kSide + along) * kWidth + w;
        if (at < dim) to[at] = sums[i][c][w] * scale;
      }
  }
}

template <unsigned kDim, unsigned kQueries, unsigned kKeys>
void attend(Device& device, const Problem& problem) {
  const AttentionShape& shape = problem.shape;
  const size_t floats = (kQueries + kKeys) * (kDim + 4) + kQueries * (kKeys + 4);
  launch(device, attention_kernel<kDim, kQueries, kKeys>,
         Grid{dim3(parts(shape.length, kQueries), unsigned(shape.heads),
                   unsigned(problem.q.rows / shape.length)),
              dim3(kThreads), floats * sizeof(float)},
         problem);
}

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

// A block for a head: the parts put together.
__global__ void combine_kernel(QueryProblem problem, size_t parts) {
  const AttentionShape& shape = problem.shape;
  const size_t head = blockIdx.x;
  float largest = -INFINITY;
  for (size_t p = 0; p < parts; ++p) {
    const size_t at = p * shape.heads + head;
    if (problem.totals[at] != 0) largest = fmaxf(largest, problem.largest[at]);
  }
  float total = 0;
  for (size_t p = 0; p < parts; ++p) {
    const size_t at = p * shape.heads + head;
    if (problem.totals[at] != 0) total += problem.totals[at] * expf(problem.largest[at] - largest);
  }
  for (size_t c = threadIdx.x; c < shape.head_dim; c += blockDim.x) {
    float sum = 0;
    for (size_t p = 0; p < parts; ++p) {
      const size_t at = p * shape.heads + head;
      if (problem.totals[at] != 0)
        sum = fmaf(problem.sums[at * shape.head_dim + c], expf(problem.largest[at] - largest), sum);
    }
    problem.out.data[head * shape.head_dim + c] = sum / total;
  }
}

size_t parts_of(const QueryAttention& query) {
  const size_t window = query.shape.window;
  return parts(window == 0 ? query.capacity : std::min(window, query.capacity), kPart);
}

}  // namespace

void check_head_dim(size_t head_dim) {
  if (head_dim > kLargestHeadDim || head_dim % 2 != 0)
    throw Fault{{"device_failed",
                 "Attention on a card takes heads of an even width up to " + std::to_string(kLargestHeadDim) +
                     ", and this model's are " + std::to_string(head_dim) + " wide. Run it on the CPU.",
                 ""}};
}

void causal_attention(Device& device, const AttentionShape& shape, DeviceView<const float> q,
                      DeviceView<const float> k, DeviceView<const float> v, DeviceView<float> out) {
  check_head_dim(shape.head_dim);
  const Problem problem{shape, q, k, v, out};
  // Shared memory stays below the 99 KB that every card gives a block.
  if (shape.head_dim <= 32) return attend<32, 64, 64>(device, problem);
  if (shape.head_dim <= 64) return attend<64, 64, 64>(device, problem);
  if (shape.head_dim <= 96) return attend<96, 64, 64>(device, problem);
  if (shape.head_dim <= 128) return attend<128, 64, 64>(device, problem);
  return attend<256, 32, 32>(device, problem);
}

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
  launch(device, combine_kernel, Grid{dim3(unsigned(shape.heads)), dim3(128)}, problem, count);
}

}  // namespace signum::cuda
