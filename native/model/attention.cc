#include "model/attention.h"

#include <algorithm>

#include "base/pool.h"
#include "math/linear_algebra.h"
#include "model/row_operations.h"

namespace signum {
namespace {

constexpr size_t kQueries =
    64;  // query rows of one task: above the diagonal only half a tile is computed in vain

// Scores of one task, kept by each thread between tasks.
float* thread_scores(size_t count) {
  thread_local std::unique_ptr<float[], AlignedFree> scores;
  thread_local size_t capacity = 0;
  if (count > capacity) {
    scores = aligned_array<float>(count);
    capacity = count;
  }
  return scores.get();
}

}  // namespace

void causal_attention(const AttentionShape& shape, ConstView q, ConstView k, ConstView v, View out,
                      ThreadPool& pool) {
  const size_t length = shape.length, dim = shape.head_dim, sequences = q.rows / length;
  const size_t tiles = (length + kQueries - 1) / kQueries;
  const size_t window = shape.window == 0 ? length : shape.window;
  // First token that token t sees.
  const auto begin = [&](size_t t) { return t + 1 > window ? t + 1 - window : 0; };
  pool.parallel_for(sequences * shape.heads * tiles, [&](size_t index) {
    // Long tiles first: the short ones fill the end evenly.
    const size_t tile = tiles - 1 - index % tiles, head = index / tiles % shape.heads;
    const size_t sequence = index / tiles / shape.heads, kv_head = head / (shape.heads / shape.kv_heads);
    const size_t first = tile * kQueries, queries = std::min(kQueries, length - first);
    const size_t first_key = begin(first), keys = first + queries - first_key;
    const size_t start = sequence * length;

    const size_t stride = (keys + 15) / 16 * 16;
    const View scores{thread_scores(kQueries * stride), queries, keys, stride};  // [queries, keys]
    gemm_transposed(shape.scale, q.block(start + first, head * dim, queries, dim),
                    k.block(start + first_key, kv_head * dim, keys, dim), 0.0f, scores, pool);
    for (size_t i = 0; i < queries; ++i) {
      const size_t from = begin(first + i) - first_key, to = first + i + 1 - first_key;
      if (shape.cap > 0) soft_cap(scores.row(i) + from, shape.cap, to - from);
      std::fill_n(scores.row(i), from, 0.0f);
      softmax(scores.row(i) + from, to - from, keys - from);
    }
    gemm(1.0f, scores, v.block(start + first_key, kv_head * dim, keys, dim), 0.0f,
         out.block(start + first, head * dim, queries, dim), pool);
  });
}

}  // namespace signum
