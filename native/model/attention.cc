#include "model/attention.h"

#include <algorithm>

#include "base/growing_array.h"
#include "base/pool.h"
#include "math/linear_algebra.h"
#include "model/query_attention.h"
#include "model/row_operations.h"

namespace signum {
namespace {

constexpr size_t kQueries =
    64;  // query rows of one task: above the diagonal only half a tile is computed in vain

// Scores of one task, kept by each thread between tasks.
float* thread_scores(size_t count) {
  thread_local GrowingArray scores;
  return scores.room(count);
}

// A single query of a single sequence. A kv head's keys are read by all of its query heads in turn.
void attend_query(const AttentionShape& shape, ConstView q, ConstView k, ConstView v, View out,
                  ThreadPool& pool) {
  constexpr size_t kInline = size_t(1) << 17;  // products that are done before the other threads are awake
  const size_t dim = shape.head_dim, group = shape.heads / shape.kv_heads, seen = shape.past + 1;
  const size_t keys = shape.window == 0 ? seen : std::min(seen, shape.window);
  const auto kv_head = [&](size_t index) {
    const HeadRows key{k.row(seen - keys) + index * dim, k.stride};
    const HeadRows value{v.row(seen - keys) + index * dim, v.stride};
    float* scores = thread_scores(keys);
    for (size_t head = index * group; head < (index + 1) * group; ++head) {
      dot_rows(q.data + head * dim, key, keys, dim, shape.scale, scores);
      if (shape.cap > 0) soft_cap(scores, shape.cap, keys);
      softmax(scores, keys, keys);
      sum_rows(scores, value, keys, dim, out.data + head * dim);
    }
  };
  if (shape.heads * keys * dim < kInline)
    for (size_t index = 0; index < shape.kv_heads; ++index) kv_head(index);
  else
    pool.parallel_for(shape.kv_heads, kv_head);
}

}  // namespace

void causal_attention(const AttentionShape& shape, ConstView q, ConstView k, ConstView v, View out,
                      ThreadPool& pool) {
  if (q.rows == 1) return attend_query(shape, q, k, v, out, pool);
  const size_t length = shape.length, dim = shape.head_dim, sequences = q.rows / length;
  const size_t past = shape.past;
  const size_t tiles = (length + kQueries - 1) / kQueries;
  const size_t window = shape.window == 0 ? past + length : shape.window;
  // First token that query i sees.
  const auto begin = [&](size_t i) { return past + i + 1 > window ? past + i + 1 - window : 0; };
  pool.parallel_for(sequences * shape.heads * tiles, [&](size_t index) {
    // Long tiles first: the short ones fill the end evenly.
    const size_t tile = tiles - 1 - index % tiles, head = index / tiles % shape.heads;
    const size_t sequence = index / tiles / shape.heads, kv_head = head / (shape.heads / shape.kv_heads);
    const size_t first = tile * kQueries, queries = std::min(kQueries, length - first);
    const size_t first_key = begin(first), keys = past + first + queries - first_key;
    const size_t start = sequence * length, start_key = sequence * (past + length);

    const size_t stride = (keys + 15) / 16 * 16;
    const View scores{thread_scores(kQueries * stride), queries, keys, stride};  // [queries, keys]
    gemm_transposed(shape.scale, q.block(start + first, head * dim, queries, dim),
                    k.block(start_key + first_key, kv_head * dim, keys, dim), 0.0f, scores, pool);
    for (size_t i = 0; i < queries; ++i) {
      const size_t from = begin(first + i) - first_key, to = past + first + i + 1 - first_key;
      if (shape.cap > 0) soft_cap(scores.row(i) + from, shape.cap, to - from);
      std::fill_n(scores.row(i), from, 0.0f);
      softmax(scores.row(i) + from, to - from, keys - from);
    }
    gemm(1.0f, scores, v.block(start_key + first_key, kv_head * dim, keys, dim), 0.0f,
         out.block(start + first, head * dim, queries, dim), pool);
  });
}

}  // namespace signum
