#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/fdb_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/fdb_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

// The scales of the rows in one vector.
struct Levels {
  V a1, a2, sum;
};

HWY_INLINE Levels LevelsOf(D d, const FdbScales& scales, size_t lane) {
  const V a1 = hn::Load(d, scales.first + lane), a2 = hn::Load(d, scales.second + lane);
  return {a1, a2, hn::Add(a1, a2)};
}

// Distance to the nearest level, and which planes make it.
HWY_INLINE V Nearest(V w, const Levels& levels, M& in1, M& in2) {
  V best = hn::Abs(w);
  const auto closer = [&](V level) {
    const V distance = hn::Abs(hn::Sub(w, level));
    const M is = hn::Lt(distance, best);
    best = hn::IfThenElse(is, distance, best);
    return is;
  };
  in1 = closer(levels.a1);
  in2 = closer(levels.a2);
  in1 = hn::AndNot(in2, in1);
  const M both = closer(levels.sum);
  in1 = hn::Or(in1, both);
  in2 = hn::Or(in2, both);
  return best;
}

void FdbError(const FdbGroup& group, const FdbScales& scales, float* error) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Levels levels = LevelsOf(d, scales, lane);
    V sum = hn::Zero(d);
    for (size_t j = 0; j < group.width; ++j) {
      const V w = hn::Load(d, group.weight + j * kTileRows + lane);
      const V distance = hn::Min(hn::Min(hn::Abs(w), hn::Abs(hn::Sub(w, levels.a1))),
                                 hn::Min(hn::Abs(hn::Sub(w, levels.a2)), hn::Abs(hn::Sub(w, levels.sum))));
      sum = hn::Add(sum, hn::Mul(hn::Set(d, group.importance[j]), hn::Mul(distance, distance)));
    }
    hn::Store(sum, d, error + lane);
  }
}

void FdbSumsOf(const FdbGroup& group, const FdbScales& scales, FdbSums& sums) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Levels levels = LevelsOf(d, scales, lane);
    V error = hn::Zero(d), ones1 = error, ones2 = error, both = error, with1 = error, with2 = error;
    for (size_t j = 0; j < group.width; ++j) {
      const V w = hn::Load(d, group.weight + j * kTileRows + lane);
      M in1, in2;
      const V distance = Nearest(w, levels, in1, in2), h = hn::Set(d, group.importance[j]),
              hw = hn::Mul(h, w);
      error = hn::Add(error, hn::Mul(h, hn::Mul(distance, distance)));
      ones1 = hn::Add(ones1, hn::IfThenElseZero(in1, h));
      ones2 = hn::Add(ones2, hn::IfThenElseZero(in2, h));
      both = hn::Add(both, hn::IfThenElseZero(hn::And(in1, in2), h));
      with1 = hn::Add(with1, hn::IfThenElseZero(in1, hw));
      with2 = hn::Add(with2, hn::IfThenElseZero(in2, hw));
    }
    hn::Store(error, d, sums.error + lane);
    hn::Store(ones1, d, sums.ones1 + lane);
    hn::Store(ones2, d, sums.ones2 + lane);
    hn::Store(both, d, sums.both + lane);
    hn::Store(with1, d, sums.with1 + lane);
    hn::Store(with2, d, sums.with2 + lane);
  }
}

void FdbPlanes(const FdbGroup& group, const FdbScales& scales, uint16_t* plane1, uint16_t* plane2,
               float* value) {
  const D d;
  const auto bits_of = [&](M mask) {
    uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, mask, bytes);
    return uint32_t(bytes[0] | bytes[1] << 8);
  };
  for (size_t j = 0; j < group.width; ++j) {
    uint32_t bits1 = 0, bits2 = 0;
    for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
      const Levels levels = LevelsOf(d, scales, lane);
      M in1, in2;
      Nearest(hn::Load(d, group.weight + j * kTileRows + lane), levels, in1, in2);
      bits1 |= bits_of(in1) << lane;
      bits2 |= bits_of(in2) << lane;
      hn::Store(hn::Add(hn::IfThenElseZero(in1, levels.a1), hn::IfThenElseZero(in2, levels.a2)), d,
                value + j * kTileRows + lane);
    }
    plane1[j] = uint16_t(bits1);
    plane2[j] = uint16_t(bits2);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(FdbError);
HWY_EXPORT(FdbSumsOf);
HWY_EXPORT(FdbPlanes);

void fdb_error(const FdbGroup& group, const FdbScales& scales, float* error) {
  HWY_DYNAMIC_DISPATCH(FdbError)(group, scales, error);
}
void fdb_sums(const FdbGroup& group, const FdbScales& scales, FdbSums& sums) {
  HWY_DYNAMIC_DISPATCH(FdbSumsOf)(group, scales, sums);
}
void fdb_planes(const FdbGroup& group, const FdbScales& scales, uint16_t* plane1, uint16_t* plane2,
                float* value) {
  HWY_DYNAMIC_DISPATCH(FdbPlanes)(group, scales, plane1, plane2, value);
}

}  // namespace signum
#endif
