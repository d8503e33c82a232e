// How GGUF stores numbers: ggml's types, written and read here without ggml. A type stores a row in blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace signum {

// The value is ggml's number of the type (ggml.h, enum ggml_type).
enum class GgufType : uint32_t { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8, BF16 = 30, Q1_0 = 41, Q2_0 = 42 };

struct GgufTypeTraits {
  GgufType type;
  const char* name;    // ggml's: "F16"
  uint32_t file_type;  // general.file_type of a file that stores its matrices so (llama.h, enum llama_ftype)
  size_t block;        // values in a block; divides a row
  size_t bytes;        // of a block
};
const GgufTypeTraits& gguf_traits(GgufType type);

// A whole number of blocks. F16 and BF16 round to nearest even, blocks as gguf_blocks.h says. False: the type
// cannot hold a number.
bool gguf_encode(GgufType type, const float* values, size_t count, uint8_t* out);
// As ggml's own dequantization, in F32.
void gguf_decode(GgufType type, const uint8_t* bytes, size_t count, float* out);
// Whether the numbers that are stored are as near to those that were meant as the type's rounding brings
// them, by its definition: not by what was written.
bool gguf_near(GgufType type, const float* meant, const float* stored, size_t count);

}  // namespace signum
