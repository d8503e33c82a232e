#include "export/gptq_linear.h"

#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "base/matrix.h"
#include "base/pool.h"
#include "methods/bit_streams.h"

namespace signum {
namespace {

size_t groups_of(const Layout& layout) { return (layout.columns + layout.group - 1) / layout.group; }

float scale_at(const PackedView& linear, size_t index) {
  const DType type = linear.layout.scale_type;
  float value = 0;
  to_f32(type, linear.bytes("code_scale").data() + index * dtype_bytes(type), 1, &value);
  return value;
}

uint32_t zero_at(const PackedView& linear, size_t index) {
  return linear.layout.symmetric ? 1u << (linear.layout.bits - 1) : linear.bytes("code_zero")[index];
}

// Adds a number of `bits` bits that begins at bit `at` of words that lie `stride` apart.
void put(uint32_t* words, size_t stride, size_t at, size_t bits, uint32_t number) {
  uint32_t* word = words + at / 32 * stride;
  *word |= number << (at % 32);
  if (at % 32 + bits > 32) word[stride] |= number >> (32 - at % 32);
}

uint32_t take(const uint32_t* words, size_t stride, size_t at, size_t bits) {
  const uint32_t* word = words + at / 32 * stride;
  uint64_t both = *word;
  if (at % 32 + bits > 32) both |= uint64_t(word[stride]) << 32;
  return uint32_t(both >> (at % 32)) & ((1u << bits) - 1);
}

// A copy: a mapped tensor may lie at any address.
template <class T>
std::vector<T> numbers(const TensorView& tensor) {
  std::vector<T> out(tensor.bytes.size() / sizeof(T));
  std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

Error broken(const TensorView& tensor) {
  return {"packed_broken", tensor.name + " does not fit the other tensors of its linear.", ""};
}

}  // namespace

std::vector<uint32_t> gptq_qweight(const PackedView& linear, ThreadPool& pool) {
  const Layout& layout = linear.layout;
  const size_t m = layout.rows, n = layout.columns, bits = size_t(layout.bits);
  const size_t row_bytes = bytes_of_bits(n * bits);
  const uint8_t* codes = linear.bytes("code").data();
  std::vector<uint32_t> words(n * bits / 32 * m);
  constexpr size_t kBand = 16;  // outputs: a cache line of words
  pool.parallel_for((m + kBand - 1) / kBand, [&](size_t band) {
    for (size_t i = band * kBand; i < std::min(m, (band + 1) * kBand); ++i)
      for (size_t j = 0; j < n; ++j)
        put(words.data() + i, m, (linear.order ? (*linear.order)[j] : j) * bits, bits,
            code_at(codes + i * row_bytes, j, bits));
  });
  return words;
}

std::vector<uint32_t> gptq_qzeros(const PackedView& linear, const GptqForm& form) {
  const size_t m = linear.layout.rows, bits = size_t(form.bits), groups = groups_of(linear.layout);
  std::vector<uint32_t> words(groups * (m * bits / 32));
  for (size_t g = 0; g < groups; ++g)
    for (size_t i = 0; i < m; ++i)
      put(words.data() + g * (m * bits / 32), 1, i * bits, bits,
          zero_at(linear, i * groups + g) - (form.zeros_less ? 1 : 0));
  return words;
}

std::vector<uint16_t> gptq_scales(const PackedView& linear) {
  const size_t m = linear.layout.rows, groups = groups_of(linear.layout);
  std::vector<uint16_t> scales(groups * m);
  for (size_t g = 0; g < groups; ++g)
    for (size_t i = 0; i < m; ++i) scales[g * m + i] = float_to_half(scale_at(linear, i * groups + g));
  return scales;
}

std::vector<int32_t> gptq_g_idx(const PackedView& linear) {
  std::vector<int32_t> groups(linear.layout.columns);
  for (size_t j = 0; j < groups.size(); ++j)
    groups[linear.order ? (*linear.order)[j] : j] = int32_t(j / linear.layout.group);
  return groups;
}

bool gptq_scales_fit(const PackedView& linear) {
  const size_t count = linear.layout.rows * groups_of(linear.layout);
  for (size_t k = 0; k < count; ++k) {
    const float scale = scale_at(linear, k);
    if (half_to_float(float_to_half(scale)) != scale) return false;
  }
  return true;
}

uint32_t gptq_least_zero(const PackedView& linear) {
  uint32_t least = zero_at(linear, 0);
  const size_t count = linear.layout.rows * groups_of(linear.layout);
  for (size_t k = 0; k < count; ++k) least = std::min(least, zero_at(linear, k));
  return least;
}

Result<Matrix> decode_gptq(const TensorView& qweight, const TensorView& qzeros, const TensorView& scales,
                           const TensorView& g_idx, const GptqForm& form, ThreadPool& pool) {
  const size_t bits = size_t(form.bits);
  if (g_idx.dtype != DType::I32 || g_idx.shape.size() != 1) return broken(g_idx);
  if (scales.dtype != DType::F16 || scales.shape.size() != 2) return broken(scales);
  const size_t n = g_idx.shape[0], groups = scales.shape[0], m = scales.shape[1];
  if (qweight.dtype != DType::I32 || qweight.shape != std::vector<size_t>{n * bits / 32, m})
    return broken(qweight);
  if (qzeros.dtype != DType::I32 || qzeros.shape != std::vector<size_t>{groups, m * bits / 32})
    return broken(qzeros);
  const auto group = numbers<int32_t>(g_idx);
  const auto codes = numbers<uint32_t>(qweight), zeros = numbers<uint32_t>(qzeros);
  const auto steps = numbers<uint16_t>(scales);
  if (std::ranges::any_of(group, [&](int32_t g) { return g < 0 || size_t(g) >= groups; }))
    return broken(g_idx);
  Matrix out = Matrix::uninitialized(m, n);
  pool.parallel_for(m, [&](size_t i) {
    for (size_t j = 0; j < n; ++j) {
      const auto g = size_t(group[j]);
      const auto zero = int(take(zeros.data() + g * (m * bits / 32), 1, i * bits, bits));
      const auto code = int(take(codes.data() + i, m, j * bits, bits));
      out(i, j) = half_to_float(steps[g * m + i]) * float(code - zero - (form.zeros_less ? 1 : 0));
    }
  });
  return out;
}

}  // namespace signum
