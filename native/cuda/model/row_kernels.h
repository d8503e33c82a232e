// What a decoder block does to rows beside its products (model/row_operations.h), on the card and in the
// order of its stream. Rows may be further apart than they are wide.
#pragma once

#include "base/dtype.h"
#include "cuda/runtime.h"
#include "model/architecture.h"

namespace signum::cuda {

// Gain, and bias where the mean is taken off (NormKind::Layer); null gain: no norm.
struct NormView {
  const float* gain = nullptr;
  const float* bias = nullptr;
  double epsilon = 0;
};

// Every row through the norm. x, out [rows, n]; out may be x. Sums of eight numbers are F32, those are added
// up in F64: the same as the CPU's to F32 rounding.
void apply_norm(Device& device, const NormView& norm, DeviceView<const float> x, DeviceView<float> out);

// out [rows, width] = the activation of gate_up [rows, width, twice where gated]; out may be gate_up's first
// columns.
void activate(Device& device, MlpKind kind, DeviceView<const float> gate_up, DeviceView<float> out);

// x += bias, the same for every row. bias [columns]
void add_bias(Device& device, DeviceView<float> x, const float* bias);
// x += y
void add_rows(Device& device, DeviceView<float> x, DeviceView<const float> y);
// x -= y
void subtract_rows(Device& device, DeviceView<float> x, DeviceView<const float> y);
void scale_rows(Device& device, DeviceView<float> x, float factor);
// x = cap * tanh(x / cap)
void soft_cap(Device& device, DeviceView<float> x, float cap);
void copy_rows(Device& device, DeviceView<const float> from, DeviceView<float> to);

// Where the tokens of a batch stand: row i of sequence i / length is its token past + i % length.
struct Places {
  size_t length = 0;
  size_t past = 0;
  const uint32_t* past_on_card = nullptr;  // read instead of `past`: a recorded graph goes on with it
};

// x += y's row of the token's place. y [positions, columns]
void add_positions(Device& device, DeviceView<float> x, DeviceView<const float> y, const Places& places);
// The rows of the tokens' places in keys and values [., width] = the halves of from's rows [tokens, 2 *
// width]. One sequence.
void append_rows(Device& device, DeviceView<const float> from, DeviceView<float> keys,
                 DeviceView<float> values, const Places& places);

// What is done to every query or key head before the attention: norm, then rotary position.
struct HeadChange {
  NormView norm;
  const float* cosine = nullptr;  // [positions, head_dim / 2]; null: no rotary positions
  const float* sine = nullptr;
};

// x [tokens, heads * head_dim], in place. head_dim even and at most 256.
void place_heads(Device& device, const HeadChange& change, DeviceView<float> x, size_t head_dim,
                 const Places& places);

// out's row i = table's row ids[i], widened: F16, BF16 or F32 as stored. table [., columns of out]
void gather_rows(Device& device, const void* table, DType dtype, const uint32_t* ids, DeviceView<float> out);
// out's row i = x's row rows[i].
void gather_rows(Device& device, DeviceView<const float> x, const uint32_t* rows, DeviceView<float> out);

// finite[0] becomes 0 where x holds NaN or infinity, and stays as it is else.
void check_finite(Device& device, DeviceView<const float> x, uint32_t* finite);

}  // namespace signum::cuda
