// Causal attention with grouped queries.
#pragma once

#include <cstddef>

#include "base/matrix.h"

namespace signum {

class ThreadPool;

struct AttentionShape {
  size_t length = 0;    // queries per sequence
  size_t past = 0;      // keys of a sequence before that of its first query
  size_t heads = 0;     // query heads
  size_t kv_heads = 0;  // query head h reads key and value head h / (heads / kv_heads)
  size_t head_dim = 0;
  float scale = 1;    // scores are multiplied by it
  float cap = 0;      // then cap * tanh(score / cap); 0: none
  size_t window = 0;  // tokens that a token sees, itself included; 0: all up to itself
};

// q [sequences * length, heads * head_dim], k, v [sequences * (past + length), kv_heads * head_dim],
// positions already applied -> out [sequences * length, heads * head_dim]. Query i of a sequence is its token
// t = past + i, and sees tokens max(0, t + 1 - window) to t of it. Parallel over sequence, head and rows.
void causal_attention(const AttentionShape& shape, ConstView q, ConstView k, ConstView v, View out,
                      ThreadPool& pool);

}  // namespace signum
