// Causal attention with grouped queries (model/attention.h), on the card: scores are never kept as a whole.
#pragma once

#include "cuda/runtime.h"
#include "model/attention.h"

namespace signum::cuda {

// Heads are at most this wide. Fault device_failed above.
inline constexpr size_t kLargestHeadDim = 256;
void check_head_dim(size_t head_dim);

// As the CPU's causal_attention(). In tiles of queries and keys, F32, with a running maximum and sum.
void causal_attention(Device& device, const AttentionShape& shape, DeviceView<const float> q,
                      DeviceView<const float> k, DeviceView<const float> v, DeviceView<float> out);

// One query of one sequence per call, as generation has it: the keys are split into parts that are attended
// to beside each other and then put together, in the same order whatever the card.
struct QueryAttention {
  AttentionShape shape;                    // length 1
  size_t capacity = 0;                     // most keys there may be; shape.past < capacity
  const uint32_t* past_on_card = nullptr;  // read instead of shape.past: a recorded graph goes on with it
};
// Floats that attend_query() needs room for.
size_t query_attention_floats(const QueryAttention& query);
// q [1, heads * head_dim], k, v [capacity, kv_heads * head_dim] -> out as q. room: query_attention_floats().
void attend_query(Device& device, const QueryAttention& query, DeviceView<const float> q,
                  DeviceView<const float> k, DeviceView<const float> v, float* room, DeviceView<float> out);

}  // namespace signum::cuda
