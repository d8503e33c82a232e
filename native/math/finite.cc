#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "math/finite.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <atomic>
#include <bit>

#include "base/pool.h"
#include "math/finite.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

bool AllFinite(const float* x, size_t n) {
  constexpr uint32_t kExponent = 0x7F800000u;  // all ones in NaN and infinity only
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto exponent = hn::Set(du, kExponent);
  auto any = hn::Zero(du);  // lanes: all ones where such an exponent was seen
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto bits = hn::And(hn::BitCast(du, hn::LoadU(d, x + i)), exponent);
    any = hn::Or(any, hn::VecFromMask(du, hn::Eq(bits, exponent)));
  }
  bool finite = hn::AllTrue(du, hn::Eq(any, hn::Zero(du)));
  for (; i < n; ++i) finite &= (std::bit_cast<uint32_t>(x[i]) & kExponent) != kExponent;
  return finite;
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(AllFinite);

bool all_finite(const float* x, size_t n) { return HWY_DYNAMIC_DISPATCH(AllFinite)(x, n); }

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
