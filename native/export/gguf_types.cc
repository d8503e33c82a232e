#include "export/gguf_types.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

#include "base/half.h"

namespace signum {
namespace {

constexpr GgufTypeTraits kTypes[] = {
    {.type = GgufType::F32, .name = "F32", .file_type = 0, .block = 1, .bytes = 4},
    {.type = GgufType::F16, .name = "F16", .file_type = 1, .block = 1, .bytes = 2},
    {.type = GgufType::BF16, .name = "BF16", .file_type = 32, .block = 1, .bytes = 2},
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
  }
  return false;
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
  }
}

double gguf_tolerance(GgufType type, float meant) {
  switch (type) {
    case GgufType::F32:
      return 0;
    case GgufType::F16:  // half a unit of 11 significant bits, or of 2^-24
      return std::max(std::abs(double(meant)) * 0x1p-11, 0x1p-25);
    case GgufType::BF16:
      return std::max(std::abs(double(meant)) * 0x1p-8, 0x1p-134);
  }
  return 0;
}

}  // namespace signum
