// ggml's block types: a scale d in F16 and small whole numbers q for every `block` numbers of a row. Written
// exactly where every number is d * q, else (Q8_0, Q4_0) rounded as ggml itself rounds (ggml-quants.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "export/gguf_types.h"

namespace signum {

// Numbers d * q, q from least to most; the form of a block by its type.
struct GgufBlockForm {
  int least, most;
  int bits;
};
// Q1_0: q is -1 or 1. Q2_0: -1 to 2. Q4_0: -8 to 7. Q8_0: -128 to 127.
GgufBlockForm gguf_block_form(GgufType type);

// The scale, as F16's bits, with which every number is exactly d * q; nothing: there is none. Where ggml's
// own quantization is exact, its scale.
std::optional<uint16_t> fit_gguf_block(GgufType type, const float* values);

// One block of the type. False: the scale is too large for F16, or a type that is only written exactly does
// not fit.
bool encode_gguf_block(GgufType type, const float* values, uint8_t* out);
void decode_gguf_block(GgufType type, const uint8_t* bytes, float* out);

}  // namespace signum
