#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/group_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/group_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

// +scale where the bit (deviation >= 0) is 1, else -scale; scale itself may be negative.
HWY_INLINE V WithBit(D d, V deviation, V scale) {
  return hn::IfThenElse(hn::Ge(deviation, hn::Zero(d)), scale, hn::Neg(scale));
}

void BillmFit(const float* weight, const TileMasks& masks, float* mean, float* scale, float* first,
              float* second) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto put = [&](float* slots, size_t slot, V v) {
      hn::Store(v, d, slots + slot * kTileRows + lane);
    };
    const auto size_of = [&](size_t j) { return hn::Abs(hn::Load(d, masks.search + lane + j * kTileRows)); };

    V mean1, mean2, alpha1, alpha2;
    const auto every = [&](size_t) { return hn::Eq(hn::Zero(d), hn::Zero(d)); };
    OneOrder(d, 0, masks.salient, weight + lane, first + lane, every, mean1, alpha1);
    for (size_t j = 0; j < masks.salient; ++j) {  // residual of the first order, sign(0) = 0
      const V x = hn::Load(d, first + lane + j * kTileRows);
      hn::Store(Residual(d, x, alpha1), d, second + lane + j * kTileRows);
    }
    OneOrder(d, 0, masks.salient, second + lane, second + lane, every, mean2, alpha2);
    put(mean, 0, hn::Add(mean1, mean2));
    put(scale, 0, alpha1);
    put(scale, 1, alpha2);
    for (size_t group = 0; group < masks.splits.groups(); ++group)
      WithGroup(d, masks.splits, group, size_of, [&](const auto& in) {
        OneOrder(d, masks.salient, masks.columns, weight + lane, first + lane, in, mean1, alpha1);
        put(mean, 1 + group, mean1);
        put(scale, 2 + group, alpha1);
      });
  }
}

void MeanValues(const TileMasks& masks, const float* mean, const float* scale, const float* first,
                const float* second, float* value) {
  const D d;
  const size_t salient_groups = masks.salient_splits.groups();
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto get = [&](const float* slots, size_t slot) {
      return hn::Load(d, slots + slot * kTileRows + lane);
    };
    const auto put = [&](size_t j, V v) { hn::Store(v, d, value + j * kTileRows + lane); };
    for (size_t j = 0; j < masks.salient; ++j)
      put(j, ByGroup(d, masks.salient_splits, get(masks.search, j), [&](size_t group) {
            const V one = hn::Add(get(mean, group), WithBit(d, get(first, j), get(scale, 2 * group)));
            return hn::Add(one, WithBit(d, get(second, j), get(scale, 2 * group + 1)));
          }));
    for (size_t j = masks.salient; j < masks.columns; ++j)
      put(j, ByGroup(d, masks.splits, get(masks.search, j), [&](size_t group) {
            return hn::Add(get(mean, salient_groups + group),
                           WithBit(d, get(first, j), get(scale, 2 * salient_groups + group)));
          }));
  }
}

void ArbRcValues(const float* weight, const TileMasks& masks, const float* row_scale,
                 const float* column_scale, const float* sign1, const float* sign2, const float* other_row,
                 const float* other_column, float* value) {
  const D d;
  const size_t salient = masks.salient, others = masks.columns - salient;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto get = [&](const float* slots, size_t slot) {
      return hn::Load(d, slots + slot * kTileRows + lane);
    };
    const auto put = [&](size_t j, V v) { hn::Store(v, d, value + j * kTileRows + lane); };
    for (size_t j = 0; j < salient; ++j) {
      const auto part = [&](size_t slot, const float* sign) {
        return WithBit(d, get(sign, j),
                       hn::Mul(get(row_scale, slot), hn::Set(d, column_scale[slot * salient + j])));
      };
      put(j, ByGroup(d, masks.salient_splits, get(masks.search, j), [&](size_t group) {
            return hn::Add(part(2 * group, sign1), part(2 * group + 1, sign2));
          }));
    }
    for (size_t j = salient; j < masks.columns; ++j) {
      const V product = ByGroup(d, masks.splits, get(masks.search, j), [&](size_t group) {
        return hn::Mul(get(other_row, group), hn::Set(d, other_column[group * others + j - salient]));
      });
      put(j, WithBit(d, get(weight, j), product));
    }
  }
}

void ScaledDifference(const float* weight, const float* value, const float* r_diagonal, size_t columns,
                      float* error) {
  const D d;
  for (size_t j = 0; j < columns; ++j)
    for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
      const size_t at = j * kTileRows + lane;
      hn::Store(
          hn::Mul(hn::Sub(hn::Load(d, weight + at), hn::Load(d, value + at)), hn::Set(d, r_diagonal[j])), d,
          error + at);
    }
}

void RowMasks(const float* values, size_t columns, bool absolute, float least, const uint32_t* place,
              uint16_t* masks) {
  const D d;
  const V bound = hn::Set(d, least);
  for (size_t j = 0; j < columns; ++j) {
    uint32_t bits = 0;
    for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
      const V x = hn::Load(d, values + j * kTileRows + lane);
      uint8_t bytes[8] = {};
      hn::StoreMaskBits(d, hn::Ge(absolute ? hn::Abs(x) : x, bound), bytes);
      bits |= uint32_t(bytes[0] | bytes[1] << 8) << lane;
    }
    masks[place[j]] = uint16_t(bits);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(BillmFit);
HWY_EXPORT(MeanValues);
HWY_EXPORT(ArbRcValues);
HWY_EXPORT(ScaledDifference);
HWY_EXPORT(RowMasks);

void billm_fit(const float* weight, const TileMasks& masks, float* mean, float* scale, float* first,
               float* second) {
  HWY_DYNAMIC_DISPATCH(BillmFit)(weight, masks, mean, scale, first, second);
}
void mean_values(const TileMasks& masks, const float* mean, const float* scale, const float* first,
                 const float* second, float* value) {
  HWY_DYNAMIC_DISPATCH(MeanValues)(masks, mean, scale, first, second, value);
}
void arb_rc_values(const float* weight, const TileMasks& masks, const float* row_scale,
                   const float* column_scale, const float* sign1, const float* sign2, const float* other_row,
                   const float* other_column, float* value) {
  HWY_DYNAMIC_DISPATCH(ArbRcValues)
  (weight, masks, row_scale, column_scale, sign1, sign2, other_row, other_column, value);
}
void scaled_difference(const float* weight, const float* value, const float* r_diagonal, size_t columns,
                       float* error) {
  HWY_DYNAMIC_DISPATCH(ScaledDifference)(weight, value, r_diagonal, columns, error);
}
void row_masks(const float* values, size_t columns, bool absolute, float least, const uint32_t* place,
               uint16_t* masks) {
  HWY_DYNAMIC_DISPATCH(RowMasks)(values, columns, absolute, least, place, masks);
}

}  // namespace signum
#endif
