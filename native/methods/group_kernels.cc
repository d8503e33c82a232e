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

void BillmFit(const float* weight, TileMasks masks, float* mean, float* scale, float* first, float* second) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto put = [&](float* slots, size_t slot, V v) {
      hn::Store(v, d, slots + slot * kTileRows + lane);
    };
    const V threshold = hn::Set(d, masks.threshold);
    const auto sparse = [&](size_t j) {
      return hn::Ge(hn::Abs(hn::Load(d, masks.search + lane + j * kTileRows)), threshold);
    };
    const auto concentrated = [&](size_t j) {
      return hn::Lt(hn::Abs(hn::Load(d, masks.search + lane + j * kTileRows)), threshold);
    };
    const auto every = [&](size_t) { return hn::Eq(hn::Zero(d), hn::Zero(d)); };

    V mean1, mean2, alpha1, alpha2;
    OneOrder(d, 0, masks.salient, weight + lane, first + lane, every, mean1, alpha1);
    for (size_t j = 0; j < masks.salient; ++j) {  // residual of the first order, sign(0) = 0
      const V x = hn::Load(d, first + lane + j * kTileRows);
      hn::Store(Residual(d, x, alpha1), d, second + lane + j * kTileRows);
    }
    OneOrder(d, 0, masks.salient, second + lane, second + lane, every, mean2, alpha2);
    put(mean, 0, hn::Add(mean1, mean2));
    put(scale, 0, alpha1);
    put(scale, 1, alpha2);
    OneOrder(d, masks.salient, masks.columns, weight + lane, first + lane, sparse, mean1, alpha1);
    put(mean, 1, mean1);
    put(scale, 2, alpha1);
    OneOrder(d, masks.salient, masks.columns, weight + lane, first + lane, concentrated, mean1, alpha1);
    put(mean, 2, mean1);
    put(scale, 3, alpha1);
  }
}

void MeanValues(TileMasks masks, size_t salient_groups, const float* mean, const float* scale,
                const float* first, const float* second, float* value) {
  const D d;
  const size_t sparse_mean = salient_groups, sparse_scale = 2 * salient_groups;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto get = [&](const float* slots, size_t slot) {
      return hn::Load(d, slots + slot * kTileRows + lane);
    };
    const V split = hn::Set(d, masks.salient_threshold), threshold = hn::Set(d, masks.threshold);
    for (size_t j = 0; j < masks.salient; ++j) {
      const auto both = [&](size_t group) {
        const V one = hn::Add(get(mean, group), WithBit(d, get(first, j), get(scale, 2 * group)));
        return hn::Add(one, WithBit(d, get(second, j), get(scale, 2 * group + 1)));
      };
      V sum = both(0);
      if (salient_groups == 2)
        sum = hn::IfThenElse(hn::Ge(hn::Abs(get(masks.search, j)), split), sum, both(1));
      hn::Store(sum, d, value + j * kTileRows + lane);
    }
    for (size_t j = masks.salient; j < masks.columns; ++j) {
      const M sparse = hn::Ge(hn::Abs(get(masks.search, j)), threshold);
      const V group_mean = hn::IfThenElse(sparse, get(mean, sparse_mean), get(mean, sparse_mean + 1));
      const V group_scale = hn::IfThenElse(sparse, get(scale, sparse_scale), get(scale, sparse_scale + 1));
      hn::Store(hn::Add(group_mean, WithBit(d, get(first, j), group_scale)), d, value + j * kTileRows + lane);
    }
  }
}

void ArbRcValues(const float* weight, TileMasks masks, size_t salient_groups, const float* row_scale,
                 const float* column_scale, const float* sign1, const float* sign2, const float* other_row,
                 const float* other_column, float* value) {
  const D d;
  const size_t salient = masks.salient, others = masks.columns - salient;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto get = [&](const float* slots, size_t slot) {
      return hn::Load(d, slots + slot * kTileRows + lane);
    };
    const V split = hn::Set(d, masks.salient_threshold), threshold = hn::Set(d, masks.threshold);
    for (size_t j = 0; j < salient; ++j) {
      const auto part = [&](size_t slot, const float* sign) {
        return WithBit(d, get(sign, j),
                       hn::Mul(get(row_scale, slot), hn::Set(d, column_scale[slot * salient + j])));
      };
      V sum = hn::Add(part(0, sign1), part(1, sign2));
      if (salient_groups == 2) {
        const M sparse = hn::Ge(hn::Abs(get(masks.search, j)), split);
        sum = hn::IfThenElse(sparse, sum, hn::Add(part(2, sign1), part(3, sign2)));
      }
      hn::Store(sum, d, value + j * kTileRows + lane);
    }
    for (size_t j = salient; j < masks.columns; ++j) {
      const M sparse = hn::Ge(hn::Abs(get(masks.search, j)), threshold);
      const V row = hn::IfThenElse(sparse, get(other_row, 0), get(other_row, 1));
      const V column = hn::IfThenElse(sparse, hn::Set(d, other_column[j - salient]),
                                      hn::Set(d, other_column[others + j - salient]));
      hn::Store(WithBit(d, get(weight, j), hn::Mul(row, column)), d, value + j * kTileRows + lane);
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

void billm_fit(const float* weight, TileMasks masks, float* mean, float* scale, float* first, float* second) {
  HWY_DYNAMIC_DISPATCH(BillmFit)(weight, masks, mean, scale, first, second);
}
void mean_values(TileMasks masks, size_t salient_groups, const float* mean, const float* scale,
                 const float* first, const float* second, float* value) {
  HWY_DYNAMIC_DISPATCH(MeanValues)(masks, salient_groups, mean, scale, first, second, value);
}
void arb_rc_values(const float* weight, TileMasks masks, size_t salient_groups, const float* row_scale,
                   const float* column_scale, const float* sign1, const float* sign2, const float* other_row,
                   const float* other_column, float* value) {
  HWY_DYNAMIC_DISPATCH(ArbRcValues)
  (weight, masks, salient_groups, row_scale, column_scale, sign1, sign2, other_row, other_column, value);
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
