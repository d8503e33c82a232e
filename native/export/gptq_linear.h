// One linear of integer codes in the GPTQ checkpoint format, as AutoGPTQ and GPTQModel write it and vLLM and
// transformers load it. With m outputs, n inputs, G groups:
//   qweight I32 [n * bits / 32, m]: codes of an output's inputs one after another, least significant bit
//     first, down a column of words; of 3 bits, 32 codes in 3 words.
//   qzeros I32 [G, m * bits / 32]: codes of the value 0, along a row of words; the form "gptq" stores them
//     less one, "gptq_v2" as they are.
//   scales F16 [G, m].  g_idx I32 [n]: the group of each input.
// A weight is scales[g_idx[j]][i] * (code - zero).
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "file/safetensors.h"
#include "methods/packed_view.h"

namespace signum {

class ThreadPool;

// What the parts of a linear have in common with all others of the model.
struct GptqForm {
  int bits = 4;            // 2, 3, 4, 8
  bool zeros_less = true;  // "gptq", else "gptq_v2"
};

// linear: rtn or gptq, has passed check_view; rows and columns times bits are multiples of 32.
std::vector<uint32_t> gptq_qweight(const PackedView& linear, ThreadPool& pool);
std::vector<uint32_t> gptq_qzeros(const PackedView& linear, const GptqForm& form);
// Scales that F16 holds exactly (gptq_scales_fit).
std::vector<uint16_t> gptq_scales(const PackedView& linear);
std::vector<int32_t> gptq_g_idx(const PackedView& linear);

bool gptq_scales_fit(const PackedView& linear);
// Least code of the value 0. The form "gptq" cannot store 0.
uint32_t gptq_least_zero(const PackedView& linear);

// The other way, from tensors that were read: [m, n] in F32, one rounding a weight. Error packed_broken:
// shapes that do not fit, a group that is not there.
Result<Matrix> decode_gptq(const TensorView& qweight, const TensorView& qzeros, const TensorView& scales,
                           const TensorView& g_idx, const GptqForm& form, ThreadPool& pool);

}  // namespace signum
