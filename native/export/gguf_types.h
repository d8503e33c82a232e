// How GGUF stores numbers: ggml's types, written and read here without ggml. A type stores a row in blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace signum {

// The value is ggml's number of the type (ggml.h, enum ggml_type).
enum class GgufType : uint32_t { F32 = 0, F16 = 1, BF16 = 30 };

struct GgufTypeTraits {
  GgufType type;
  const char* name;    // ggml's: "F16"
  uint32_t file_type;  // general.file_type of a file that stores its matrices so (llama.h, enum llama_ftype)
  size_t block;        // values in a block; divides a row
  size_t bytes;        // of a block
};
const GgufTypeTraits& gguf_traits(GgufType type);

// A whole number of blocks. F16 and BF16 round to nearest even. False: a number is too large for the type.
bool gguf_encode(GgufType type, const float* values, size_t count, uint8_t* out);
// As ggml's own dequantization, in F32.
void gguf_decode(GgufType type, const uint8_t* bytes, size_t count, float* out);
// How far the number that is stored may be from the number that was meant, by the type's definition.
double gguf_tolerance(GgufType type, float meant);

}  // namespace signum
