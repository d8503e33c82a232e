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

// rows x kDim numbers of a head into shared memory, rows of kDim + 4, zeros where there are none. Four at a
// time where heads begin at multiples of 16 bytes, all of a thread's loads on their way at once.
template <unsigned kDim, unsigned kRows>
__device__ inline void load_tile(DeviceView<const float> from, size_t row, size_t rows, size_t column,
                                 size_t dim, float* to) {
  constexpr unsigned kQuads = kDim / 4, kEach = kRows * kQuads / kThreads;
  static_assert(kRows * kQuads % kThreads == 0);
  const float* head = from.data + row * from.stride + column;
  if (dim % 4 == 0 && from.stride % 4 == 0 && reinterpret_cast<uintptr_t>(head) % 16 == 0) {
    float4 held[kEach];
#pragma unroll
    for (unsigned i = 0; i < kEach; ++i) {
      const unsigned at = threadIdx.x + i * kThreads, r = at / kQuads, c = at % kQuads * 4;
      held[i] = float4{0, 0, 0, 0};
      if (r < rows && c < dim) held[i] = *reinterpret_cast<const float4*>(head + r * from.stride + c);
    }
#pragma unroll
    for (unsigned i = 0; i < kEach; ++i) {
      const unsigned at = threadIdx.x + i * kThreads, r = at / kQuads, c = at % kQuads * 4;
      *reinterpret_cast<float4*>(to + r * (kDim + 4) + c) = held[i];
    }
    return;
  }
  for (unsigned i = threadIdx.x; i < kRows * kDim; i += kThreads) {
    const unsigned r = i / kDim, c = i % kDim;
    to[r * (kDim + 4) + c] = r < rows && c < dim ? head[r * from.stride + c] : 0.0f;
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

}  // namespace signum::cuda
