#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/pb_llm_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/pb_llm_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

// The rows of a vector that begins at row `lane`, from a mask of 16 rows.
HWY_INLINE M MaskOf(D d, uint16_t bits, size_t lane) {
  const uint64_t own = uint64_t(bits) >> lane;
  return hn::LoadMaskBits(d, reinterpret_cast<const uint8_t*>(&own));
}

// Sums over long rows in parts, so that F32 does not lose small numbers to a large sum. add(j, sum) for each
// column.
template <class Add>
HWY_INLINE V SumInParts(D d, size_t width, const Add& add) {
  constexpr size_t kPart = 128;
  V sum = hn::Zero(d);
  for (size_t begin = 0; begin < width; begin += kPart) {
    V part = hn::Zero(d);
    for (size_t j = begin; j < HWY_MIN(begin + kPart, width); ++j) part = hn::Add(part, add(j));
    sum = hn::Add(sum, part);
  }
  return sum;
}

void PbLlmLevelsOf(const float* weight, size_t width, const uint16_t* salient, bool members_only, float* mean,
                   float* scale) {
  const D d;
  const V all = hn::Set(d, float(width)), one = hn::Set(d, 1.0f);
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    // A weight, or 0 where it is salient.
    const auto binarized = [&](size_t j) {
      return hn::IfThenZeroElse(MaskOf(d, salient[j], lane), hn::Load(d, weight + j * kTileRows + lane));
    };
    const V sum = SumInParts(d, width, binarized);
    V count = all;
    if (members_only)
      count = SumInParts(d, width,
                         [&](size_t j) { return hn::IfThenZeroElse(MaskOf(d, salient[j], lane), one); });
    const V center = MeanOrZero(d, sum, count);
    const V distances = SumInParts(d, width, [&](size_t j) {
      const V distance = hn::Abs(hn::Sub(binarized(j), center));
      return members_only ? hn::IfThenZeroElse(MaskOf(d, salient[j], lane), distance) : distance;
    });
    hn::Store(center, d, mean + lane);
    hn::Store(MeanOrZero(d, distances, count), d, scale + lane);
  }
}

void PbLlmColumns(float* weight, size_t begin, size_t end, size_t width, ConstView u, const float* r_diagonal,
                  const uint16_t* salient, const PbLlmLevels& levels, const TileGrids& grids, float highest,
                  float* codes, float* quantized) {
  const D d;
  const V most = hn::Set(d, highest), upper = hn::Set(d, (highest + 1) / 2);
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const V mean = hn::Load(d, levels.mean + lane), scale = hn::Load(d, levels.scale + lane);
    const V step = hn::Load(d, grids.step + lane), zero = hn::Load(d, grids.zero + lane);
    for (size_t j = begin; j < end; ++j) {
      const V w = hn::Load(d, weight + j * kTileRows + lane);
      const M kept = MaskOf(d, salient[j], lane), plus = hn::Ge(w, mean);
      const V code = GridCode(d, w, step, zero, most);
      const V binary = hn::Add(mean, hn::IfThenElse(plus, scale, hn::Neg(scale)));
      const V q = hn::IfThenElse(kept, hn::Mul(step, hn::Sub(code, zero)), binary);
      hn::Store(hn::IfThenElse(kept, code, hn::IfThenElseZero(plus, upper)), d, codes + j * kTileRows + lane);
      hn::Store(q, d, quantized + j * kTileRows + lane);
      PassOn(d, hn::Mul(hn::Sub(w, q), hn::Set(d, r_diagonal[j])), u.row(j), j + 1, width, weight + lane);
    }
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(PbLlmLevelsOf);
HWY_EXPORT(PbLlmColumns);

void pb_llm_levels(const float* weight, size_t width, const uint16_t* salient, bool members_only, float* mean,
                   float* scale) {
  HWY_DYNAMIC_DISPATCH(PbLlmLevelsOf)(weight, width, salient, members_only, mean, scale);
}
void pb_llm_columns(float* weight, size_t begin, size_t end, size_t width, ConstView u,
                    const float* r_diagonal, const uint16_t* salient, const PbLlmLevels& levels,
                    const TileGrids& grids, float highest, float* codes, float* quantized) {
  HWY_DYNAMIC_DISPATCH(PbLlmColumns)
  (weight, begin, end, width, u, r_diagonal, salient, levels, grids, highest, codes, quantized);
}

}  // namespace signum
#endif
