// Causal attention with grouped queries.
#pragma once

#include <cstddef>

#include "base/matrix.h"

namespace signum {

class ThreadPool;

struct AttentionShape {
  size_t length = 0;    // tokens per sequence; rows = sequences * length
  size_t heads = 0;     // query heads
  size_t kv_heads = 0;  // query head h reads key and value head h / (heads / kv_heads)
  size_t head_dim = 0;
};

// q [rows, heads * head_dim], k, v [rows, kv_heads * head_dim], positions already applied -> out [rows, heads
// * head_dim]. Token t of a sequence sees tokens 0 to t of it; scores are divided by sqrt(head_dim). Parallel
// over sequence, head and rows.
void causal_attention(const AttentionShape& shape, ConstView q, ConstView k, ConstView v, View out,
                      ThreadPool& pool);

}  // namespace signum
