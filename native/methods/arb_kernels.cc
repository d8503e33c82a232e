#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/arb_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/arb_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

// One order on the members of columns [begin, end). From the signs B of x - mean, with the group's mean c and
// n members:
//   mean' = mean + sum (x - alpha B - mean) / n = c - alpha sum B / n
//   alpha' = sum B (x - mean') / sum B^2 = (sum |x - mean| + (mean - mean') sum B) / sum B^2
template <class In>
HWY_INLINE void RefineOneOrder(D d, size_t begin, size_t end, const float* x, int iterations, const In& in,
                               float* sign, V& mean, V& alpha) {
  V sum = hn::Zero(d), members = hn::Zero(d);
  for (size_t j = begin; j < end; ++j) {
    const M member = in(j);
    sum = hn::Add(sum, hn::IfThenElseZero(member, hn::Load(d, x + j * kTileRows)));
    members = hn::Add(members, hn::IfThenElseZero(member, hn::Set(d, 1.0f)));
  }
  const V center = MeanOrZero(d, sum, members), one = hn::Set(d, 1.0f);
  const auto deviation = [&](size_t j) { return hn::Sub(hn::Load(d, x + j * kTileRows), mean); };
  mean = center;
  for (int i = 0; i < iterations || i == 0; ++i) {
    V size = hn::Zero(d), above = size, below = size;  // sum of |x - mean|, how many B are 1, -1
    for (size_t j = begin; j < end; ++j) {
      const M member = in(j);
      const V by = deviation(j);
      size = hn::IfThenElse(member, hn::Add(size, hn::Abs(by)), size);
      above = hn::IfThenElse(hn::And(member, hn::Gt(by, hn::Zero(d))), hn::Add(above, one), above);
      below = hn::IfThenElse(hn::And(member, hn::Lt(by, hn::Zero(d))), hn::Add(below, one), below);
    }
    if (i == 0) alpha = MeanOrZero(d, size, members);
    if (i == iterations) break;
    const V balance = hn::Sub(above, below);
    const V next = hn::NegMulAdd(alpha, MeanOrZero(d, balance, members), center);
    const V scale = MeanOrZero(d, hn::MulAdd(hn::Sub(mean, next), balance, size), hn::Add(above, below));
    const bool settled = hn::AllTrue(d, hn::And(hn::Eq(next, mean), hn::Eq(scale, alpha)));
    mean = next;
    alpha = scale;
    if (settled) break;  // nor would any later iteration change them
  }
  for (size_t j = begin; j < end; ++j)
    hn::BlendedStore(SignOf(d, deviation(j)), in(j), d, sign + j * kTileRows);
}

// Two orders on the members of columns [0, columns), by sums over y = x - c, c the group's mean, mean = c +
// nu:
//   nu = -(alpha1 sum B1 + alpha2 sum B2) / n
//   alpha1 = (sum B1 y - nu sum B1 - alpha2 sum B1 B2) / sum B1^2, alpha2 likewise with the new alpha1
//   (B1, B2) = nearest of the four values to y - nu
template <class In>
HWY_INLINE void RefineTwoOrders(D d, size_t columns, const float* x, int iterations, const In& in,
                                float* sign1, float* sign2, V& mean, V& alpha1, V& alpha2) {
  V center, nu;
  OneOrder(d, 0, columns, x, sign1, in, center, alpha1);
  for (size_t j = 0; j < columns; ++j) {
    const M member = in(j);
    const V deviation = hn::Load(d, sign1 + j * kTileRows);
    hn::BlendedStore(Residual(d, deviation, alpha1), member, d, sign2 + j * kTileRows);
    hn::BlendedStore(SignOf(d, deviation), member, d, sign1 + j * kTileRows);
  }
  OneOrder(d, 0, columns, sign2, sign2, in, nu, alpha2);
  V members = hn::Zero(d);
  for (size_t j = 0; j < columns; ++j) {
    const M member = in(j);
    members = hn::Add(members, hn::IfThenElseZero(member, hn::Set(d, 1.0f)));
    hn::BlendedStore(SignOf(d, hn::Load(d, sign2 + j * kTileRows)), member, d, sign2 + j * kTileRows);
  }
  for (int i = 0; i < iterations; ++i) {
    V sum1 = hn::Zero(d), sum2 = sum1, both = sum1, count1 = sum1, count2 = sum1, with1 = sum1, with2 = sum1;
    for (size_t j = 0; j < columns; ++j) {
      const M member = in(j);
      const V b1 = hn::IfThenElseZero(member, hn::Load(d, sign1 + j * kTileRows));
      const V b2 = hn::IfThenElseZero(member, hn::Load(d, sign2 + j * kTileRows));
      const V y = hn::Sub(hn::Load(d, x + j * kTileRows), center);
      sum1 = hn::Add(sum1, b1);
      sum2 = hn::Add(sum2, b2);
      both = hn::MulAdd(b1, b2, both);
      count1 = hn::Add(count1, hn::Abs(b1));
      count2 = hn::Add(count2, hn::Abs(b2));
      with1 = hn::MulAdd(b1, y, with1);
      with2 = hn::MulAdd(b2, y, with2);
    }
    nu = hn::Neg(MeanOrZero(d, hn::MulAdd(alpha1, sum1, hn::Mul(alpha2, sum2)), members));
    alpha1 = MeanOrZero(d, hn::NegMulAdd(alpha2, both, hn::NegMulAdd(nu, sum1, with1)), count1);
    alpha2 = MeanOrZero(d, hn::NegMulAdd(alpha1, both, hn::NegMulAdd(nu, sum2, with2)), count2);
    const V level = hn::Add(center, nu);
    for (size_t j = 0; j < columns; ++j) {
      const M member = in(j);
      V b1, b2;
      NearestOfFour(d, hn::Sub(hn::Load(d, x + j * kTileRows), level), alpha1, alpha2, b1, b2);
      hn::BlendedStore(b1, member, d, sign1 + j * kTileRows);
      hn::BlendedStore(b2, member, d, sign2 + j * kTileRows);
    }
  }
  mean = hn::Add(center, nu);
}

void ArbFit(const float* weight, const TileMasks& masks, int iterations, float* mean, float* scale,
            float* first, float* second) {
  const D d;
  const size_t salient_groups = masks.salient_splits.groups();
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto put = [&](float* slots, size_t slot, V v) {
      hn::Store(v, d, slots + slot * kTileRows + lane);
    };
    const auto size_of = [&](size_t j) { return hn::Abs(hn::Load(d, masks.search + lane + j * kTileRows)); };
    for (size_t group = 0; group < salient_groups; ++group)
      WithGroup(d, masks.salient_splits, group, size_of, [&](const auto& in) {
        V center, alpha1, alpha2;
        RefineTwoOrders(d, masks.salient, weight + lane, iterations, in, first + lane, second + lane, center,
                        alpha1, alpha2);
        put(mean, group, center);
        put(scale, 2 * group, alpha1);
        put(scale, 2 * group + 1, alpha2);
      });
    for (size_t group = 0; group < masks.splits.groups(); ++group)
      WithGroup(d, masks.splits, group, size_of, [&](const auto& in) {
        V center, alpha;
        RefineOneOrder(d, masks.salient, masks.columns, weight + lane, iterations, in, first + lane, center,
                       alpha);
        put(mean, salient_groups + group, center);
        put(scale, 2 * salient_groups + group, alpha);
      });
  }
}

void ArbResidual(const float* x, size_t columns, int iterations, float* residual) {
  const D d;
  HWY_ALIGN float first[kMaxWidth * kTileRows];
  HWY_ALIGN float second[kMaxWidth * kTileRows];
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    V mean, alpha1, alpha2;
    const auto every = [&](size_t) { return hn::Eq(hn::Zero(d), hn::Zero(d)); };
    RefineTwoOrders(d, columns, x + lane, iterations, every, first + lane, second + lane, mean, alpha1,
                    alpha2);
    for (size_t j = 0; j < columns; ++j) {
      const size_t at = j * kTileRows + lane;
      const V rest = hn::NegMulAdd(alpha1, hn::Load(d, first + at), hn::Sub(hn::Load(d, x + at), mean));
      hn::Store(hn::NegMulAdd(alpha2, hn::Load(d, second + at), rest), d, residual + at);
    }
  }
}

void ArbSplitResidual(const float* x, size_t columns, const Splits& splits, int iterations, float* residual) {
  const D d;
  HWY_ALIGN float signs[kMaxWidth * kTileRows];
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto at = [&](size_t j) { return hn::Load(d, x + lane + j * kTileRows); };
    for (size_t j = 0; j < columns; ++j) hn::Store(at(j), d, residual + lane + j * kTileRows);
    const auto size_of = [&](size_t j) { return hn::Abs(at(j)); };
    for (size_t group = 0; group < splits.count; ++group)
      WithGroup(d, splits, group, size_of, [&](const auto& in) {
        V mean, alpha;
        RefineOneOrder(d, 0, columns, x + lane, iterations, in, signs + lane, mean, alpha);
        for (size_t j = 0; j < columns; ++j) {
          const V sign = hn::Load(d, signs + lane + j * kTileRows);
          hn::BlendedStore(hn::NegMulAdd(alpha, sign, hn::Sub(at(j), mean)), in(j), d,
                           residual + lane + j * kTileRows);
        }
      });
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(ArbFit);
HWY_EXPORT(ArbResidual);
HWY_EXPORT(ArbSplitResidual);

void arb_fit(const float* weight, const TileMasks& masks, int iterations, float* mean, float* scale,
             float* first, float* second) {
  HWY_DYNAMIC_DISPATCH(ArbFit)(weight, masks, iterations, mean, scale, first, second);
}
void arb_split_residual(const float* x, size_t columns, const Splits& splits, int iterations,
                        float* residual) {
  HWY_DYNAMIC_DISPATCH(ArbSplitResidual)(x, columns, splits, iterations, residual);
}
void arb_residual(const float* x, size_t columns, int iterations, float* residual) {
  HWY_DYNAMIC_DISPATCH(ArbResidual)(x, columns, iterations, residual);
}

}  // namespace signum
#endif
