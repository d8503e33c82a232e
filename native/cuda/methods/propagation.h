// The columns of a block one after another, each error passed on to the later columns: the loop that gptq,
// pb-llm and signum-rc share, for kernels. A warp takes a row: lane l holds columns l, l + 32, ... in
// registers, all lanes quantize the column whose turn it is, and every lane updates its own. U is read
// through the cache, which all rows of a block share.
#pragma once

#include "cuda/methods/block_columns.h"

namespace signum::cuda {

inline constexpr unsigned kPropagationWarps = 8;  // of a thread block

// The rule of a method, copied to the kernel:
//   Row begin(size_t row) const                                      what it keeps of a row
//   void reach(Row&, unsigned j, unsigned width, const float (&w)[kSlots]) const
//                                                                    before column j; lane l: w of l + 32
//                                                                    slot
//   float value(const Row&, unsigned j, float w, unsigned& code) const   what the weight becomes
//   void add(Row&, float error) const                                E of a column
//   void end(const Row&) const                                       after the last one, in all lanes
template <unsigned kSlots, class Rule>
__global__ void propagation_kernel(Rule rule, BlockColumns block) {
  const unsigned lane = threadIdx.x % 32, width = unsigned(block.weight.columns);
  const size_t row = size_t(blockIdx.x) * kPropagationWarps + threadIdx.x / 32;
  if (row >= block.weight.rows) return;
  const float* from = block.weight.data + row * block.weight.stride;
  float w[kSlots];
  bool inside[kSlots];
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) {
    inside[s] = s * 32 + lane < width;
    w[s] = inside[s] ? from[s * 32 + lane] : 0.0f;
  }
  auto state = rule.begin(row);
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) {
    float own_value = 0, own_error = 0;
    unsigned own_code = 0;
#pragma unroll 1
    for (unsigned l = 0; l < 32; ++l) {
      const unsigned j = s * 32 + l;
      if (j >= width) break;
      const float* u = block.u.data + j * block.u.stride + lane;
      float u_row[kSlots];
#pragma unroll
      for (unsigned t = s; t < kSlots; ++t) u_row[t] = inside[t] ? u[t * 32] : 0.0f;
      rule.reach(state, j, width, w);
      const float now = warp_from(w[s], l);
      unsigned code = 0;
      const float value = rule.value(state, j, now, code);
      const float error = (now - value) * block.r.data[j * (block.r.stride + 1)];
      rule.add(state, error);
      if (lane == l) {
        own_value = value;
        own_error = error;
        own_code = code;
      }
      // Below the diagonal U is zero, and the column itself is done.
#pragma unroll
      for (unsigned t = s; t < kSlots; ++t) w[t] = fmaf(-error, u_row[t], w[t]);
    }
    const size_t j = s * 32 + lane;
    if (inside[s]) {
      block.codes[row * block.codes_stride + j] = uint8_t(own_code);
      if (block.quantized.data) block.quantized.data[row * block.quantized.stride + j] = own_value;
      if (block.error.data) block.error.data[row * block.error.stride + j] = own_error;
    }
  }
  rule.end(state);
}

template <class Rule>
void propagate(Device& device, const Rule& rule, const BlockColumns& block) {
  const Grid grid{dim3(parts(block.weight.rows, kPropagationWarps)), dim3(32 * kPropagationWarps)};
  if (block.weight.columns <= 64)
    launch(device, propagation_kernel<2, Rule>, grid, rule, block);
  else if (block.weight.columns <= 128)
    launch(device, propagation_kernel<4, Rule>, grid, rule, block);
  else
    launch(device, propagation_kernel<8, Rule>, grid, rule, block);
}

}  // namespace signum::cuda
