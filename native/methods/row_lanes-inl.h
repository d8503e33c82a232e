// What the tile kernels of the methods share: 16 rows in lanes, and the small steps of binarization. Included
// once for every SIMD target.
#if defined(SIGNUM_ROW_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNUM_ROW_LANES_INL_H
#undef SIGNUM_ROW_LANES_INL_H
#else
#define SIGNUM_ROW_LANES_INL_H
#endif

#include <hwy/highway.h>

#include "methods/splits.h"
#include "methods/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kTileRows>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

constexpr size_t kMaxWidth = 256;  // largest blocksize

// sum / count, 0 for an empty group.
HWY_INLINE V MeanOrZero(D d, V sum, V count) {
  return hn::IfThenElseZero(hn::Gt(count, hn::Zero(d)), hn::Div(sum, hn::Max(count, hn::Set(d, 1.0f))));
}

// x - alpha sign(x), sign(0) = 0: what one binary order leaves.
HWY_INLINE V Residual(D d, V x, V alpha) {
  return hn::IfThenElse(hn::Ne(x, hn::Zero(d)), hn::Sub(x, hn::CopySign(alpha, x)), x);
}

HWY_INLINE V SignOf(D d, V x) {
  return hn::IfThenElseZero(hn::Ne(x, hn::Zero(d)), hn::CopySign(hn::Set(d, 1.0f), x));
}

// fit(in), with in(j): which rows of column j are in this group. size_of(j) = |T|.
template <class Size, class Fit>
HWY_INLINE void WithGroup(D d, const Splits& splits, size_t group, const Size& size_of, const Fit& fit) {
  const V above = hn::Set(d, splits.at[HWY_MIN(group, kMaxSplits - 1)]);
  const V below = hn::Set(d, splits.at[group == 0 ? 0 : group - 1]);
  if (splits.count == 0)
    fit([&](size_t) { return hn::Eq(hn::Zero(d), hn::Zero(d)); });
  else if (group == 0)
    fit([&](size_t j) { return hn::Ge(size_of(j), above); });
  else if (group == splits.count)
    fit([&](size_t j) { return hn::Lt(size_of(j), below); });
  else
    fit([&](size_t j) { return hn::And(hn::Ge(size_of(j), above), hn::Lt(size_of(j), below)); });
}

// value_of(group) of the group that each row's t is in.
template <class Value>
HWY_INLINE V ByGroup(D d, const Splits& splits, V t, const Value& value_of) {
  V value = value_of(splits.count);
  for (size_t group = splits.count; group-- > 0;)
    value = hn::IfThenElse(hn::Ge(hn::Abs(t), hn::Set(d, splits.at[group])), value_of(group), value);
  return value;
}

// Integer grids: the code whose value step (code - zero) is nearest to w, 0 .. most.
HWY_INLINE V GridCode(D d, V w, V step, V zero, V most) {
  return hn::Min(hn::Max(hn::Add(hn::Round(hn::Div(w, step)), zero), hn::Zero(d)), most);
}

// A column's error goes on to the later columns [from, width) of the block: w_l -= error U_jl. weight
// [width][16], from the vector's first row on.
HWY_INLINE void PassOn(D d, V error, const float* u_row, size_t from, size_t width, float* weight) {
  for (size_t l = from; l < width; ++l)
    hn::Store(hn::NegMulAdd(error, hn::Set(d, u_row[l]), hn::Load(d, weight + l * kTileRows)), d,
              weight + l * kTileRows);
}

// One order over columns [begin, end): mean, alpha, and the deviations from the mean.
template <class In>
HWY_INLINE void OneOrder(D d, size_t begin, size_t end, const float* from, float* deviation, const In& in,
                         V& mean, V& alpha) {
  V sum = hn::Zero(d), count = hn::Zero(d);
  for (size_t j = begin; j < end; ++j) {
    const M member = in(j);
    sum = hn::Add(sum, hn::IfThenElseZero(member, hn::Load(d, from + j * kTileRows)));
    count = hn::Add(count, hn::IfThenElseZero(member, hn::Set(d, 1.0f)));
  }
  mean = MeanOrZero(d, sum, count);
  V size = hn::Zero(d);
  for (size_t j = begin; j < end; ++j) {
    const M member = in(j);
    const V x = hn::Sub(hn::Load(d, from + j * kTileRows), mean);
    size = hn::Add(size, hn::IfThenElseZero(member, hn::Abs(x)));
    hn::BlendedStore(x, member, d, deviation + j * kTileRows);
  }
  alpha = MeanOrZero(d, size, count);
}

// (s1, s2) = nearest of {-p-q, -p+q, p-q, p+q} to x, ties to the first.
HWY_INLINE void NearestOfFour(D d, V x, V p, V q, V& s1, V& s2) {
  const V plus = hn::Set(d, 1.0f), minus = hn::Set(d, -1.0f);
  const V sum = hn::Add(p, q), difference = hn::Sub(p, q);
  V best = hn::Abs(hn::Add(x, sum));
  s1 = s2 = minus;
  const auto better = [&](V distance, V first, V second) {
    const M closer = hn::Lt(distance, best);
    best = hn::IfThenElse(closer, distance, best);
    s1 = hn::IfThenElse(closer, first, s1);
    s2 = hn::IfThenElse(closer, second, s2);
  };
  better(hn::Abs(hn::Add(x, difference)), minus, plus);
  better(hn::Abs(hn::Sub(x, difference)), plus, minus);
  better(hn::Abs(hn::Sub(x, sum)), plus, plus);
}

// Batcher's odd-even merge sort of n values: exchange(low, high) puts the smaller of two first. The same
// exchanges for all rows, so every lane is sorted by itself.
template <class Exchange>
HWY_INLINE void SortNetwork(size_t n, const Exchange& exchange) {
  for (size_t p = 1, shift = 1; p < n; p *= 2, ++shift)
    for (size_t k = p; k >= 1; k /= 2)
      for (size_t j = k % p; j + k < n; j += 2 * k)
        for (size_t i = j; i < HWY_MIN(j + k, n - k); ++i)
          if (i >> shift == (i + k) >> shift) exchange(i, i + k);
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
