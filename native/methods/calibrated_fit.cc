#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/calibrated_fit.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <type_traits>

#include "methods/calibrated_fit.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

constexpr size_t kGroupVectors = 4;  // residual, members, one or two sign vectors
constexpr float kTiny = 1e-10f;      // in the published denominators: a group without inputs gets 0

// A group's values [columns][16], zero outside the group: v[0] = m (1 for members), v[1], v[2] = b1, b2.
struct GroupVectors {
  const float* residual;
  const float* v[3];
};

// a(p, q) = v_p^T S v_q for p <= q, b(p) = v_p^T S residual, for every row.
template <size_t kVectors>
struct Products {
  V a[kVectors][kVectors];
  V b[kVectors];
};

// Adds what rows [i, i + kRows) of S contribute.
template <size_t kRows, size_t kVectors>
HWY_INLINE void AddRows(D d, const float* gram, size_t stride, size_t columns, const GroupVectors& group,
                        size_t i, Products<kVectors>& sums) {
  V product[kVectors][kRows];
  for (size_t p = 0; p < kVectors; ++p)
    for (size_t r = 0; r < kRows; ++r) product[p][r] = hn::Zero(d);
  for (size_t j = 0; j < columns; ++j)
    for (size_t p = 0; p < kVectors; ++p) {
      const V v = hn::Load(d, group.v[p] + j * kTileRows);
      for (size_t r = 0; r < kRows; ++r)
        product[p][r] = hn::MulAdd(hn::Set(d, gram[(i + r) * stride + j]), v, product[p][r]);
    }
  for (size_t r = 0; r < kRows; ++r) {
    const size_t at = (i + r) * kTileRows;
    for (size_t p = 0; p < kVectors; ++p) {
      sums.b[p] = hn::MulAdd(product[p][r], hn::Load(d, group.residual + at), sums.b[p]);
      for (size_t q = p; q < kVectors; ++q)
        sums.a[p][q] = hn::MulAdd(product[p][r], hn::Load(d, group.v[q] + at), sums.a[p][q]);
    }
  }
}

// The published updates, each the best for what the others are, mean first:
//   x_p = v_p^T S (x - sum of the others) / (v_p^T S v_p + tiny)
// With x = residual + sum of x0_p v_p they become updates of the changes e_p = x_p - x0_p of the numbers x0
// that the first phase left, which needs S only once:
//   e_p = (b(p) - sum over q != p of a(p, q) e_q - tiny x0_p) / (a(p, p) + tiny)
template <size_t kVectors>
HWY_INLINE void Refine(D d, const float* gram, size_t stride, size_t columns, const GroupVectors& group,
                       int iterations, V (&x)[kVectors]) {
  Products<kVectors> sums;
  for (size_t p = 0; p < kVectors; ++p) {
    sums.b[p] = hn::Zero(d);
    for (size_t q = p; q < kVectors; ++q) sums.a[p][q] = hn::Zero(d);
  }
  constexpr size_t kRows = 4;
  size_t i = 0;
  for (; i + kRows <= columns; i += kRows) AddRows<kRows>(d, gram, stride, columns, group, i, sums);
  for (; i < columns; ++i) AddRows<1>(d, gram, stride, columns, group, i, sums);

  const V tiny = hn::Set(d, kTiny);
  V change[kVectors], inverse[kVectors];
  for (size_t p = 0; p < kVectors; ++p) {
    change[p] = hn::Zero(d);
    inverse[p] = hn::Div(hn::Set(d, 1.0f), hn::Add(sums.a[p][p], tiny));
    sums.b[p] = hn::NegMulAdd(tiny, x[p], sums.b[p]);
  }
  for (int iteration = 0; iteration < iterations; ++iteration)
    for (size_t p = 0; p < kVectors; ++p) {
      V rest = sums.b[p];
      for (size_t q = 0; q < kVectors; ++q)
        if (q != p) rest = hn::NegMulAdd(p < q ? sums.a[p][q] : sums.a[q][p], change[q], rest);
      change[p] = hn::Mul(rest, inverse[p]);
    }
  for (size_t p = 0; p < kVectors; ++p) x[p] = hn::Add(x[p], change[p]);
}

void CalibratedFit(const float* weight, const TileMasks& masks, const float* gram, int iterations,
                   const float* first, const float* second, float* mean, float* scale) {
  const D d;
  HWY_ALIGN float scratch[kGroupVectors][kMaxWidth * kTileRows];
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto size_of = [&](size_t j) { return hn::Abs(hn::Load(d, masks.search + lane + j * kTileRows)); };
    const auto at = [&](float* slots, size_t slot) { return slots + slot * kTileRows + lane; };
    // Columns [begin, end); the group's mean and its kVectors - 1 scales from scale_slot on.
    const auto fit = [&](auto vectors, size_t begin, size_t end, const auto& in, size_t mean_slot,
                         size_t scale_slot) {
      constexpr size_t kVectors = decltype(vectors)::value;
      V x[kVectors];
      x[0] = hn::Load(d, at(mean, mean_slot));
      for (size_t p = 1; p < kVectors; ++p) x[p] = hn::Load(d, at(scale, scale_slot + p - 1));
      for (size_t j = begin; j < end; ++j) {
        const M member = in(j);
        const size_t to = (j - begin) * kTileRows + lane, from = j * kTileRows + lane;
        V residual = hn::Sub(hn::Load(d, weight + from), x[0]);
        hn::Store(hn::IfThenElseZero(member, hn::Set(d, 1.0f)), d, scratch[1] + to);
        for (size_t p = 1; p < kVectors; ++p) {
          const V sign = hn::Load(d, (p == 1 ? first : second) + from);
          residual = hn::NegMulAdd(x[p], sign, residual);
          hn::Store(hn::IfThenElseZero(member, sign), d, scratch[p + 1] + to);
        }
        hn::Store(hn::IfThenElseZero(member, residual), d, scratch[0] + to);
      }
      const GroupVectors group{scratch[0] + lane, {scratch[1] + lane, scratch[2] + lane, scratch[3] + lane}};
      const float* part = gram + begin * masks.columns + begin;
      Refine(d, part, masks.columns, end - begin, group, iterations, x);
      hn::Store(x[0], d, at(mean, mean_slot));
      for (size_t p = 1; p < kVectors; ++p) hn::Store(x[p], d, at(scale, scale_slot + p - 1));
    };
    const std::integral_constant<size_t, 2> one_order;
    const std::integral_constant<size_t, 3> two_orders;
    const size_t salient = masks.salient, salient_groups = masks.salient_splits.groups();
    for (size_t group = 0; group < salient_groups; ++group)
      WithGroup(d, masks.salient_splits, group, size_of,
                [&](const auto& in) { fit(two_orders, 0, salient, in, group, 2 * group); });
    for (size_t group = 0; group < masks.splits.groups(); ++group)
      WithGroup(d, masks.splits, group, size_of, [&](const auto& in) {
        fit(one_order, salient, masks.columns, in, salient_groups + group, 2 * salient_groups + group);
      });
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(CalibratedFit);

void calibrated_fit(const float* weight, const TileMasks& masks, const float* gram, int iterations,
                    const float* first, const float* second, float* mean, float* scale) {
  HWY_DYNAMIC_DISPATCH(CalibratedFit)(weight, masks, gram, iterations, first, second, mean, scale);
}

}  // namespace signum
#endif
