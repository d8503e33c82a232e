#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/rising_cuts_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/rising_cuts_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

using D64 = hn::CappedTag<double, kSlots>;

// The cuts of one kind: for every lane how many weights lie below its bound, and their sum. A weight below
// the bound of one candidate is below those of all later ones, so each is looked at once.
struct Climb {
  size_t from = 0;
  V rank, sum;

  HWY_INLINE void go(D d, const CutSearch& row, V bound, size_t candidate, uint32_t* first) {
    const V one = hn::Set(d, 1.0f);
    rank = hn::Set(d, float(from));
    sum = hn::Set(d, row.sum[from]);
    for (; from < row.n; ++from) {
      const V x = hn::Set(d, row.t[from]);
      const M below = hn::Lt(x, bound);
      if (hn::AllFalse(d, below)) return;
      first[from] = uint32_t(candidate + hn::FindKnownFirstTrue(d, below));
      rank = hn::IfThenElse(below, hn::Add(rank, one), rank);
      sum = hn::IfThenElse(below, hn::Add(sum, x), sum);
    }
  }
};

// Mean |t - mean| of a group, given how many of it lie below its mean and their sum.
HWY_INLINE V Deviations(D d, V sum, V members, V sum_below, V below, V mean, V per_member) {
  const V two = hn::Set(d, 2.0f);
  const V balance = hn::NegMulAdd(two, below, members);
  return hn::Mul(hn::NegMulAdd(mean, balance, hn::NegMulAdd(two, sum_below, sum)), per_member);
}

void FindCuts(const CutSearch& row, const CutsOfRow& cuts) {
  const D d;
  const hn::RebindToSigned<D> di;
  const V one = hn::Set(d, 1.0f), minus_two = hn::Set(d, -2.0f);
  const V all = hn::Set(d, float(row.n)), total = hn::Set(d, row.sum[row.n]);
  Climb high, middle, tail;
  for (size_t c = 0; c < row.padded; c += hn::Lanes(d)) {
    high.go(d, row, hn::LoadU(d, row.thresholds + c), c, cuts.first[kHigh]);
    const V per_member = MeanOrZero(d, one, high.rank);
    const V mean = hn::Mul(high.sum, per_member);
    middle.go(d, row, mean, c, cuts.first[kMiddle]);
    const V alpha = Deviations(d, high.sum, high.rank, middle.sum, middle.rank, mean, per_member);

    const V others = hn::Sub(all, high.rank), beyond = hn::Sub(total, high.sum);
    const V per_other = MeanOrZero(d, one, others);
    const V sparse_mean = hn::Mul(beyond, per_other);
    tail.go(d, row, sparse_mean, c, cuts.first[kTail]);
    const V sparse_alpha = Deviations(d, beyond, others, hn::Sub(tail.sum, high.sum),
                                      hn::Sub(tail.rank, high.rank), sparse_mean, per_other);

    hn::StoreU(hn::Mul(minus_two, alpha), d, cuts.height[kMiddle] + c);
    hn::StoreU(hn::Sub(hn::Add(mean, alpha), hn::Sub(sparse_mean, sparse_alpha)), d, cuts.height[kHigh] + c);
    hn::StoreU(hn::Mul(minus_two, sparse_alpha), d, cuts.height[kTail] + c);
    hn::StoreU(hn::Add(sparse_mean, sparse_alpha), d, cuts.last + c);
    hn::StoreU(hn::ConvertTo(di, middle.rank), di, cuts.rank[kMiddle] + c);
    hn::StoreU(hn::ConvertTo(di, high.rank), di, cuts.rank[kHigh] + c);
    hn::StoreU(hn::ConvertTo(di, tail.rank), di, cuts.rank[kTail] + c);
  }
}

void SumRanks(const int32_t* added, size_t n, int64_t* sums) {
  const hn::RebindToSigned<D64> d;
  const hn::Rebind<int32_t, decltype(d)> d32;
  for (size_t slot = 0; slot < kSlots; slot += hn::Lanes(d)) {
    auto total = hn::Zero(d);
    for (size_t i = 0; i <= n; ++i) {
      hn::StoreU(total, d, sums + i * kSlots + slot);
      if (i < n) total = hn::Add(total, hn::PromoteTo(d, hn::LoadU(d32, added + i * kSlots + slot)));
    }
  }
}

void AddScores(const CutScores& scores, double* errors) {
  const D64 d;
  const hn::RebindToSigned<D64> di;
  for (size_t slot = 0; slot < kSlots; slot += hn::Lanes(d)) {
    const auto sums = [&](const int64_t* of) { return hn::ConvertTo(d, hn::LoadU(di, of + slot)); };
    const auto end = sums(scores.end);
    for (size_t c = 0; c < scores.count; ++c) {
      const double* factor = scores.factors + c * kSlots;
      auto step = hn::Mul(hn::Set(d, factor[kCuts]), end);
      for (size_t cut = 0; cut < kCuts; ++cut)
        step =
            hn::MulAdd(hn::Set(d, factor[cut]), sums(scores.sums[cut] + scores.rank[cut][c] * kSlots), step);
      double* error = errors + c * kSlots + slot;
      hn::StoreU(hn::MulAdd(hn::LoadU(d, factor + slot), step, hn::LoadU(d, error)), d, error);
    }
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(FindCuts);
HWY_EXPORT(SumRanks);
HWY_EXPORT(AddScores);

void find_cuts(const CutSearch& row, const CutsOfRow& cuts) { HWY_DYNAMIC_DISPATCH(FindCuts)(row, cuts); }
void sum_ranks(const int32_t* added, size_t n, int64_t* sums) {
  HWY_DYNAMIC_DISPATCH(SumRanks)(added, n, sums);
}
void add_scores(const CutScores& scores, double* errors) { HWY_DYNAMIC_DISPATCH(AddScores)(scores, errors); }

}  // namespace signum
#endif
