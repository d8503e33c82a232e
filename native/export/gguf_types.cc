#include "export/gguf_types.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "base/half.h"
#include "export/gguf_blocks.h"

namespace signum {
namespace {

constexpr GgufTypeTraits kTypes[] = {
    {.type = GgufType::F32, .name = "F32", .file_type = 0, .block = 1, .bytes = 4},
    {.type = GgufType::F16, .name = "F16", .file_type = 1, .block = 1, .bytes = 2},
    {.type = GgufType::Q4_0, .name = "Q4_0", .file_type = 2, .block = 32, .bytes = 18},
    {.type = GgufType::Q8_0, .name = "Q8_0", .file_type = 7, .block = 32, .bytes = 34},
    {.type = GgufType::BF16, .name = "BF16", .file_type = 32, .block = 1, .bytes = 2},
    {.type = GgufType::Q1_0, .name = "Q1_0", .file_type = 40, .block = 128, .bytes = 18},
    {.type = GgufType::Q2_0, .name = "Q2_0", .file_type = 41, .block = 64, .bytes = 18},
};

// Each number by itself in 16 bits.
template <class Round>
bool encode_short(const float* values, size_t count, uint8_t* out, uint16_t infinity, Round round) {
  bool fits = true;
  for (size_t i = 0; i < count; ++i) {
    const uint16_t stored = round(values[i]);
    fits &= (stored & 0x7FFF) < infinity;
    std::memcpy(out + 2 * i, &stored, 2);
  }
  return fits;
}

template <class Widen>
void decode_short(const uint8_t* bytes, size_t count, float* out, Widen widen) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t stored;
    std::memcpy(&stored, bytes + 2 * i, 2);
    out[i] = widen(stored);
  }
}

// largest: of the numbers in the block.
double tolerance(GgufType type, double largest) {
  switch (type) {
    case GgufType::F16:  // half a unit of 11 significant bits, or of 2^-24
      return std::max(largest * 0x1p-11, 0x1p-25);
    case GgufType::BF16:
      return std::max(largest * 0x1p-8, 0x1p-134);
    case GgufType::Q8_0:  // half a step of largest / 127, and the scale's own rounding
      return std::max(largest * (0.5 / 127 + 0x1p-10), 127 * 0x1p-25);
    case GgufType::Q4_0:  // a whole step of largest / 8: 8 steps are cut to 7
      return std::max(largest * (1.0 / 8 + 0x1p-10), 8 * 0x1p-25);
    default:
      return 0;
  }
}

}  // namespace

const GgufTypeTraits& gguf_traits(GgufType type) {
  return *std::ranges::find(kTypes, type, &GgufTypeTraits::type);
}

bool gguf_encode(GgufType type, const float* values, size_t count, uint8_t* out) {
  switch (type) {
    case GgufType::F32:
      std::memcpy(out, values, count * sizeof(float));
      return true;
    case GgufType::F16:
      return encode_short(values, count, out, 0x7C00, float_to_half);
    case GgufType::BF16:
      return encode_short(values, count, out, 0x7F80, float_to_bfloat);
    default: {
      const GgufTypeTraits& traits = gguf_traits(type);
      bool fits = true;
      for (size_t i = 0; i < count / traits.block; ++i)
        fits &= encode_gguf_block(type, values + i * traits.block, out + i * traits.bytes);
      return fits;
    }
  }
}

void gguf_decode(GgufType type, const uint8_t* bytes, size_t count, float* out) {
  switch (type) {
    case GgufType::F32:
      std::memcpy(out, bytes, count * sizeof(float));
      return;
    case GgufType::F16:
      return decode_short(bytes, count, out, half_to_float);
    case GgufType::BF16:
      return decode_short(bytes, count, out, bfloat_to_float);
    default: {
      const GgufTypeTraits& traits = gguf_traits(type);
      for (size_t i = 0; i < count / traits.block; ++i)
        decode_gguf_block(type, bytes + i * traits.bytes, out + i * traits.block);
    }
  }
}

bool gguf_near(GgufType type, const float* meant, const float* stored, size_t count) {
  const size_t block = gguf_traits(type).block;
  for (size_t first = 0; first < count; first += block) {
    float largest = 0;
    for (size_t i = first; i < first + block; ++i) largest = std::max(largest, std::abs(meant[i]));
    for (size_t i = first; i < first + block; ++i)
      if (!(std::abs(double(meant[i]) - stored[i]) <= tolerance(type, largest))) return false;
  }
  return true;
}

}  // namespace signum
