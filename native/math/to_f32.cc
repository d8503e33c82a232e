// Weights as they lie in a file (any alignment) -> F32. Loops without branches, so that the compiler can
// vectorize them.
#include "math/to_f32.h"

#include <bit>
#include <cstring>

#include "base/half.h"

namespace signum {
namespace {

uint16_t load_u16(const uint8_t* bytes) {
  uint16_t value;
  std::memcpy(&value, bytes, 2);
  return value;
}

// half_to_float without branches: equal on all 65,536 values, NaN payloads included.
float half_bits_to_float(uint16_t half) {
  const uint32_t magnitude = uint32_t(half & 0x7FFF) << 13;  // exponent and mantissa at F32's places
  const uint32_t exponent = magnitude & 0x0F800000u;
  const uint32_t normal = magnitude + (112u << 23);
  const uint32_t special = magnitude + (224u << 23);  // infinity and NaN: exponent 255
  // Subnormal m * 2^-24: put m behind the exponent of 2^-14, then take 2^-14 away, exactly.
  const float subnormal = std::bit_cast<float>(magnitude + (113u << 23)) - 0x1p-14f;
  const uint32_t is_special = exponent == 0x0F800000u ? ~0u : 0u;
  const uint32_t is_subnormal = exponent == 0 ? ~0u : 0u;
  const uint32_t bits = (special & is_special) | (std::bit_cast<uint32_t>(subnormal) & is_subnormal) |
                        (normal & ~(is_special | is_subnormal));
  return std::bit_cast<float>(bits | uint32_t(half & 0x8000) << 16);
}

}  // namespace

void to_f32(DType dtype, const uint8_t* bytes, size_t count, float* out) {
  if (dtype == DType::F32) {
    if (count > 0) std::memcpy(out, bytes, count * sizeof(float));
  } else if (dtype == DType::BF16) {
    for (size_t i = 0; i < count; ++i) out[i] = bfloat_to_float(load_u16(bytes + 2 * i));
  } else {
    for (size_t i = 0; i < count; ++i) out[i] = half_bits_to_float(load_u16(bytes + 2 * i));
  }
}

}  // namespace signum
