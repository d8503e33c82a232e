#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/finite.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/pool.h"
#include "math/finite.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// No exponent of all ones, as only NaN and infinity have it, among n words at any alignment.
template <class Word>
bool NoneHas(Word exponent, const uint8_t* bytes, size_t n) {
  const hn::ScalableTag<Word> d;
  [[maybe_unused]] const auto bits = hn::Set(d, exponent);
  auto any = hn::Zero(d);  // lanes: all ones where such an exponent was seen
  size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::Repartition<uint8_t, decltype(d)> bytewise;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto words = hn::BitCast(d, hn::LoadU(bytewise, bytes + i * sizeof(Word)));
    any = hn::Or(any, hn::VecFromMask(d, hn::Eq(hn::And(words, bits), bits)));
  }
#endif
  bool finite = hn::AllTrue(d, hn::Eq(any, hn::Zero(d)));
  for (; i < n; ++i) {
    Word word;
    std::memcpy(&word, bytes + i * sizeof(Word), sizeof word);
    finite &= (word & exponent) != exponent;
  }
  return finite;
}

bool AllFinite(DType dtype, const uint8_t* bytes, size_t n) {
  if (dtype == DType::F32) return NoneHas(uint32_t(0x7F800000), bytes, n);
  return NoneHas(uint16_t(dtype == DType::F16 ? 0x7C00 : 0x7F80), bytes, n);
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(AllFinite);

bool all_finite(const float* x, size_t n) {
  return HWY_DYNAMIC_DISPATCH(AllFinite)(DType::F32, reinterpret_cast<const uint8_t*>(x), n);
}

bool all_finite(DType dtype, std::span<const uint8_t> bytes, ThreadPool& pool) {
  constexpr size_t kBand = size_t(1) << 18;  // bytes
  std::atomic<bool> finite{true};
  pool.parallel_for((bytes.size() + kBand - 1) / kBand, [&](size_t band) {
    const auto part = bytes.subspan(band * kBand, std::min(kBand, bytes.size() - band * kBand));
    if (!HWY_DYNAMIC_DISPATCH(AllFinite)(dtype, part.data(), part.size() / dtype_bytes(dtype)))
      finite = false;
  });
  return finite;
}

bool all_finite(ConstView a, ThreadPool& pool) {
  constexpr size_t kBand = 64;
  std::atomic<bool> finite{true};
  pool.parallel_for((a.rows + kBand - 1) / kBand, [&](size_t band) {
    for (size_t r = band * kBand; r < std::min(a.rows, (band + 1) * kBand); ++r)
      if (!all_finite(a.row(r), a.columns)) finite = false;
  });
  return finite;
}

}  // namespace signum
#endif
