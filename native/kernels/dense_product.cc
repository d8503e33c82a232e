#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense_product.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>

#include "base/pool.h"
#include "kernels/banded_product.h"
#include "kernels/dense_product.h"
#include "math/linear_algebra.h"
#include "math/to_f32.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr size_t kLanes = hn::MaxLanes(D());
constexpr size_t kAhead = 1024;  // bytes of a row that are asked for before they are read

// kLanes stored numbers as F32.
template <DType type>
HWY_INLINE V Read(const uint8_t* bytes) {
  const D d;
  using Stored = std::conditional_t<type == DType::F32, uint32_t, uint16_t>;
  const hn::Rebind<Stored, D> stored;
#if HWY_TARGET == HWY_SCALAR
  Stored words[1];
  std::memcpy(words, bytes, sizeof words);
  const auto bits = hn::Load(stored, words);
#else
  const hn::Repartition<uint8_t, decltype(stored)> bytewise;
  const auto bits = hn::BitCast(stored, hn::LoadU(bytewise, bytes));
#endif
  if constexpr (type == DType::F32) {
    return hn::BitCast(d, bits);
  } else if constexpr (type == DType::BF16) {
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(hn::RebindToUnsigned<D>(), bits)));
  } else {
    return hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, D>(), bits));
  }
}

// sums [tokens, rows]: products of kRows rows with kTokens tokens. One token alone has two sums a row, for
// the time an addition takes.
template <DType type, size_t kRows, size_t kTokens>
void Dots(const StoredMatrix& w, size_t row, ConstView x, float* sums, size_t stride) {
  constexpr size_t kParts = kTokens == 1 ? 2 : 1, kBytes = type == DType::F32 ? 4 : 2;
  const D d;
  const uint8_t* rows[kRows];
  V parts[kRows][kTokens][kParts];
  for (size_t r = 0; r < kRows; ++r) {
    rows[r] = w.row(row + r);
    for (size_t t = 0; t < kTokens; ++t)
      for (size_t p = 0; p < kParts; ++p) parts[r][t][p] = hn::Zero(d);
  }
  size_t j = 0;
  for (; j + kParts * kLanes <= w.columns; j += kParts * kLanes)
    for (size_t p = 0; p < kParts; ++p) {
      const size_t at = j + p * kLanes;
      V inputs[kTokens];
      for (size_t t = 0; t < kTokens; ++t) inputs[t] = hn::LoadU(d, x.row(t) + at);
      for (size_t r = 0; r < kRows; ++r) {
        hwy::Prefetch(rows[r] + at * kBytes + kAhead);
        const V weights = Read<type>(rows[r] + at * kBytes);
        for (size_t t = 0; t < kTokens; ++t) parts[r][t][p] = hn::MulAdd(weights, inputs[t], parts[r][t][p]);
      }
    }
  for (; j < w.columns; j += kLanes) {  // the rest, filled up with zeros
    const size_t count = HWY_MIN(kLanes, w.columns - j);
    HWY_ALIGN float input[kLanes] = {};
    HWY_ALIGN uint8_t stored[kLanes * kBytes] = {};
    for (size_t r = 0; r < kRows; ++r) {
      std::memcpy(stored, rows[r] + j * kBytes, count * kBytes);
      const V weights = Read<type>(stored);
      for (size_t t = 0; t < kTokens; ++t) {
        std::memcpy(input, x.row(t) + j, count * sizeof(float));
        parts[r][t][0] = hn::MulAdd(weights, hn::Load(d, input), parts[r][t][0]);
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r)
    for (size_t t = 0; t < kTokens; ++t) {
      V sum = parts[r][t][0];
      for (size_t p = 1; p < kParts; ++p) sum = hn::Add(sum, parts[r][t][p]);
      sums[t * stride + r] = hn::GetLane(hn::SumOfLanes(d, sum));
    }
}

template <DType type, size_t kTokens>
void Band(const StoredMatrix& w, size_t first, size_t last, ConstView x, float* sums, size_t stride) {
  constexpr size_t kRows = kTokens == 1 ? 4 : 2;
  size_t row = first;
  for (; row + kRows <= last; row += kRows)
    Dots<type, kRows, kTokens>(w, row, x, sums + (row - first), stride);
  for (; row < last; ++row) Dots<type, 1, kTokens>(w, row, x, sums + (row - first), stride);
}

template <DType type>
void BandOf(const StoredMatrix& w, size_t first, size_t last, ConstView x, float* sums, size_t stride) {
  switch (x.rows) {
    case 1:
      return Band<type, 1>(w, first, last, x, sums, stride);
    case 2:
      return Band<type, 2>(w, first, last, x, sums, stride);
    case 3:
      return Band<type, 3>(w, first, last, x, sums, stride);
    default:
      return Band<type, 4>(w, first, last, x, sums, stride);
  }
}

// sums [tokens, stride] = products of rows [first, last) with 1 to 4 tokens.
void BandSums(const StoredMatrix& w, size_t first, size_t last, ConstView x, float* sums, size_t stride) {
  switch (w.dtype) {
    case DType::F16:
      return BandOf<DType::F16>(w, first, last, x, sums, stride);
    case DType::BF16:
      return BandOf<DType::BF16>(w, first, last, x, sums, stride);
    default:
      return BandOf<DType::F32>(w, first, last, x, sums, stride);
  }
}

template <DType type>
void ConvertOf(const uint8_t* stored, size_t count, float* out) {
  constexpr size_t kBytes = type == DType::F32 ? 4 : 2;
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes) hn::StoreU(Read<type>(stored + j * kBytes), D(), out + j);
  if (j < count) to_f32(type, stored + j * kBytes, count - j, out + j);
}

void Convert(DType dtype, const uint8_t* stored, size_t count, float* out) {
  switch (dtype) {
    case DType::F16:
      return ConvertOf<DType::F16>(stored, count, out);
    case DType::BF16:
      return ConvertOf<DType::BF16>(stored, count, out);
    default:
      return ConvertOf<DType::F32>(stored, count, out);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {
namespace {

constexpr size_t kTokensAtOnce = 4;               // in the kernels
constexpr size_t kFewTokens = 16;                 // that go over a band while it is near
constexpr size_t kMostRows = 256;                 // of a band that is multiplied as it is read
constexpr size_t kReadNumbers = size_t(1) << 16;  // of such a band, about

HWY_EXPORT(BandSums);
HWY_EXPORT(Convert);

void multiply_reading(const StoredMatrix& w, ConstView x, float beta, View out, ThreadPool& pool) {
  const size_t band = std::clamp<size_t>(kReadNumbers / std::max<size_t>(1, w.columns) / 4 * 4, 4, kMostRows);
  pool.parallel_for((w.rows + band - 1) / band, [&](size_t index) {
    float sums[kTokensAtOnce * kMostRows];
    const size_t first = index * band, last = std::min(w.rows, first + band);
    for (size_t token = 0; token < x.rows; token += kTokensAtOnce) {
      const size_t tokens = std::min(kTokensAtOnce, x.rows - token);
      HWY_DYNAMIC_DISPATCH(BandSums)(w, first, last, x.block(token, 0, tokens, x.columns), sums, band);
      for (size_t t = 0; t < tokens; ++t)
        for (size_t i = first; i < last; ++i) {
          float& y = out(token + t, i);
          y = sums[t * band + i - first] + (beta == 0.0f ? 0.0f : beta * y);
        }
    }
  });
}

}  // namespace

void multiply(const StoredMatrix& matrix, ConstView x, float beta, View out, ThreadPool& pool) {
  if (x.rows == 0) return;
  if (x.rows <= kFewTokens) return multiply_reading(matrix, x, beta, out, pool);
  if (matrix.dtype != DType::F32 || reinterpret_cast<uintptr_t>(matrix.data) % alignof(float) != 0)
    return kernels::multiply_in_bands(
        [&](size_t first, size_t count, float* rows) {
          HWY_DYNAMIC_DISPATCH(Convert)(matrix.dtype, matrix.row(first), count * matrix.columns, rows);
        },
        x, beta, out, pool);
  const ConstView weights{reinterpret_cast<const float*>(matrix.data), matrix.rows, matrix.columns,
                          matrix.columns};
  gemm_transposed(1.0f, x, weights, beta, out, pool);
}

}  // namespace signum
#endif
