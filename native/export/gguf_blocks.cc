#include "export/gguf_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/half.h"

namespace signum {
namespace {

constexpr size_t kLargestBlock = 128;

// The number of largest size, with its sign; the first of equals.
float extreme_of(const float* values, size_t count) {
  float extreme = 0;
  for (size_t i = 0; i < count; ++i)
    if (std::abs(values[i]) > std::abs(extreme)) extreme = values[i];
  return extreme;
}

// Every number is d * q with q in the form; false for d = 0.
bool is_exact(const GgufBlockForm& form, const float* values, size_t count, float d) {
  if (d == 0) return false;
  for (size_t i = 0; i < count; ++i) {
    const float q = std::nearbyint(values[i] / d);
    if (q < float(form.least) || q > float(form.most) || d * q != values[i]) return false;
    if (form.bits == 1 && q == 0) return false;
  }
  return true;
}

// d such that the extreme is d * q, if F16 holds it and all numbers follow.
std::optional<uint16_t> scale_for(const GgufBlockForm& form, const float* values, size_t count, float extreme,
                                  int q) {
  if (q < form.least || q > form.most) return std::nullopt;
  const uint16_t scale = float_to_half(extreme / float(q));
  if (!is_exact(form, values, count, half_to_float(scale))) return std::nullopt;
  return scale;
}

void put_numbers(GgufType type, const int* q, size_t count, uint8_t* out) {
  std::memset(out, 0, count * gguf_block_form(type).bits / 8);
  for (size_t i = 0; i < count; ++i) {
    switch (type) {
      case GgufType::Q1_0:
        out[i / 8] |= uint8_t(q[i] > 0) << i % 8;
        break;
      case GgufType::Q2_0:
        out[i / 4] |= uint8_t(q[i] + 1) << 2 * (i % 4);
        break;
      case GgufType::Q4_0:  // the second half of a block lies in the high bits
        out[i % (count / 2)] |= uint8_t(q[i] + 8) << 4 * (i / (count / 2));
        break;
      default:
        out[i] = uint8_t(int8_t(q[i]));
    }
  }
}

int take_number(GgufType type, const uint8_t* bytes, size_t i, size_t count) {
  switch (type) {
    case GgufType::Q1_0:
      return (bytes[i / 8] >> i % 8 & 1) ? 1 : -1;
    case GgufType::Q2_0:
      return (bytes[i / 4] >> 2 * (i % 4) & 3) - 1;
    case GgufType::Q4_0:
      return (bytes[i % (count / 2)] >> 4 * (i / (count / 2)) & 15) - 8;
    default:
      return int8_t(bytes[i]);
  }
}

// ggml's quantize_row_q8_0_ref and quantize_row_q4_0_ref: numbers by the scale before it is rounded to F16.
float round_block(GgufType type, const float* values, size_t count, int* q) {
  const float extreme = extreme_of(values, count);
  const float d = type == GgufType::Q8_0 ? std::abs(extreme) / 127 : extreme / -8;
  const float inverse = std::abs(d) > 0x1p-120f ? 1 / d : 0;  // F16 has no scale so small
  for (size_t i = 0; i < count; ++i)
    q[i] = type == GgufType::Q8_0 ? int(std::round(values[i] * inverse))
                                  : std::min(15, int(int8_t(values[i] * inverse + 8.5f))) - 8;
  return d;
}

}  // namespace

GgufBlockForm gguf_block_form(GgufType type) {
  switch (type) {
    case GgufType::Q1_0:
      return {.least = -1, .most = 1, .bits = 1};
    case GgufType::Q2_0:
      return {.least = -1, .most = 2, .bits = 2};
    case GgufType::Q4_0:
      return {.least = -8, .most = 7, .bits = 4};
    default:
      return {.least = -128, .most = 127, .bits = 8};
  }
}

std::optional<uint16_t> fit_gguf_block(GgufType type, const float* values) {
  const GgufBlockForm form = gguf_block_form(type);
  const size_t count = gguf_traits(type).block;
  const float extreme = extreme_of(values, count);
  if (extreme == 0) return type == GgufType::Q4_0 ? 0x8000 : 0;
  // ggml's own first: d = |extreme| for one and two bits, |extreme| / 127, extreme / -8. Then any other that
  // fits, from small scales to large.
  const int sign = extreme > 0 ? 1 : -1;
  const int first =
      type == GgufType::Q4_0 ? -8 : sign * std::min(form.most, type == GgufType::Q2_0 ? 1 : 127);
  if (const auto scale = scale_for(form, values, count, extreme, first)) return scale;
  for (int size = std::max(form.most, -form.least); size > 0; --size)
    for (const int q : {sign * size, -sign * size})
      if (const auto scale = scale_for(form, values, count, extreme, q)) return scale;
  return std::nullopt;
}

bool encode_gguf_block(GgufType type, const float* values, uint8_t* out) {
  const size_t count = gguf_traits(type).block;
  int q[kLargestBlock] = {};
  auto scale = fit_gguf_block(type, values);
  if (scale) {
    const float d = half_to_float(*scale);
    for (size_t i = 0; i < count; ++i) {
      if (d != 0) q[i] = int(std::nearbyint(values[i] / d));
      if (type == GgufType::Q1_0 && d == 0) q[i] = 1;
    }
  } else {
    if (type == GgufType::Q1_0 || type == GgufType::Q2_0) return false;
    scale = float_to_half(round_block(type, values, count, q));
  }
  if ((*scale & 0x7FFF) >= 0x7C00) return false;
  std::memcpy(out, &*scale, sizeof *scale);
  put_numbers(type, q, count, out + sizeof *scale);
  return true;
}

void decode_gguf_block(GgufType type, const uint8_t* bytes, float* out) {
  const size_t count = gguf_traits(type).block;
  uint16_t scale;
  std::memcpy(&scale, bytes, sizeof scale);
  const float d = half_to_float(scale);
  for (size_t i = 0; i < count; ++i) out[i] = d * float(take_number(type, bytes + sizeof scale, i, count));
}

}  // namespace signum
