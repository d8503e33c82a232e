#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/search_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <cmath>

#include "methods/row_lanes-inl.h"
#include "methods/search_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

HWY_INLINE double Total(D d, V v) { return double(hn::GetLane(hn::SumOfLanes(d, v))); }

// Squared error of binarizing columns [begin, end) of one row a lane in two orders, given the first mean.
// With n columns, of which `upper` are not below the mean, and sum (t - mean) = 0:
//   alpha = sum |t - mean| / n = 2 (sum max(t, mean) / n - mean)
//   the second mean, of what the first order leaves = -alpha (2 upper / n - 1)
// so that each column's distance from the second mean is that from one of two levels.
HWY_INLINE V TwoOrderError(D d, const float* HWY_RESTRICT t, size_t begin, size_t end, V mean) {
  const V share = hn::Set(d, 1.0f / float(end - begin)), one = hn::Set(d, 1.0f);
  const auto at = [&](size_t k) { return hn::Load(d, t + k * kTileRows); };
  V a0 = hn::Zero(d), a1 = a0, upper0 = a0, upper1 = a0;
  const auto deviation = [&](size_t k, V& larger, V& upper) {
    const V x = at(k);
    larger = hn::Add(larger, hn::Max(x, mean));
    upper = hn::IfThenElse(hn::Ge(x, mean), hn::Add(upper, one), upper);
  };
  size_t j = begin;
  for (; j + 4 <= end; j += 4) {
    deviation(j, a0, upper0);
    deviation(j + 1, a1, upper1);
    deviation(j + 2, a0, upper0);
    deviation(j + 3, a1, upper1);
  }
  for (; j < end; ++j) deviation(j, a0, upper0);
  const V half = hn::Sub(hn::Mul(hn::Add(a0, a1), share), mean), alpha = hn::Add(half, half);
  const V balance = hn::Mul(hn::Add(upper0, upper1), share);
  const V center = hn::NegMulAdd(alpha, hn::Sub(hn::Add(balance, balance), one), mean);
  const V high = hn::Add(center, alpha), low = hn::Sub(center, alpha);

  // sum (|x| - alpha2)^2 = sum x^2 - (sum |x|)^2 / count
  V s0 = hn::Zero(d), s1 = s0;
  a0 = a1 = s0;
  const auto distance = [&](size_t k, V& sum, V& squares) {
    const V v = at(k), x = hn::IfThenElse(hn::Ge(v, mean), hn::Sub(v, high), hn::Sub(v, low));
    sum = hn::Add(sum, hn::Abs(x));
    squares = hn::MulAdd(x, x, squares);
  };
  for (j = begin; j + 4 <= end; j += 4) {
    distance(j, a0, s0);
    distance(j + 1, a1, s1);
    distance(j + 2, a0, s0);
    distance(j + 3, a1, s1);
  }
  for (; j < end; ++j) distance(j, a0, s0);
  const V sum = hn::Add(a0, a1);
  return hn::NegMulAdd(hn::Mul(sum, sum), share, hn::Add(s0, s1));
}

void SalientCountErrors(const float* tile, size_t columns, size_t up, double* errors) {
  const D d;
  HWY_ALIGN float suffix[kMaxWidth * kTileRows];  // sums over columns j >= i
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const float* t = tile + lane;
    V sum = hn::Zero(d);
    for (size_t j = columns; j-- > 1;) {
      sum = hn::Add(sum, hn::Load(d, t + j * kTileRows));
      hn::Store(sum, d, suffix + j * kTileRows);
    }
    V prefix = hn::Zero(d);
    for (size_t i = 1; i < up; ++i) {
      prefix = hn::Add(prefix, hn::Load(d, t + (i - 1) * kTileRows));
      const V salient_mean = hn::Mul(prefix, hn::Set(d, 1.0f / float(i)));
      V error = TwoOrderError(d, t, 0, i, salient_mean);
      if (i < columns) {
        const V rest_mean =
            hn::Mul(hn::Load(d, suffix + i * kTileRows), hn::Set(d, 1.0f / float(columns - i)));
        error = hn::Add(error, TwoOrderError(d, t, i, columns, rest_mean));
      }
      errors[i] += Total(d, error);
    }
  }
}

// kBounded: weights with |T| >= below belong to neither group.
template <bool kBounded>
void SplitErrorsSigned(const float* tile, size_t columns, const float* thresholds, size_t count, float below,
                       double* errors) {
  const D d;
  const V one = hn::Set(d, 1.0f), all = hn::Set(d, float(columns)), bound = hn::Set(d, below);
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto at = [&](size_t j) { return hn::Load(d, tile + lane + j * kTileRows); };
    for (size_t c = 0; c < count; ++c) {
      const V threshold = hn::Set(d, thresholds[c]);
      V sparse0 = hn::Zero(d), sparse1 = sparse0, rest0 = sparse0, rest1 = sparse0, members0 = sparse0,
        members1 = sparse0, outside = sparse0;
      const auto add = [&](size_t j, V& sparse, V& rest, V& members) {
        V x = at(j);
        M in = hn::Ge(hn::Abs(x), threshold);
        if constexpr (kBounded) {
          const M out = hn::Ge(hn::Abs(x), bound);
          outside = hn::Add(outside, hn::IfThenElseZero(out, one));
          in = hn::AndNot(out, in);
          x = hn::IfThenZeroElse(out, x);
        }
        sparse = hn::Add(sparse, hn::IfThenElseZero(in, x));
        rest = hn::Add(rest, hn::IfThenZeroElse(in, x));
        members = hn::Add(members, hn::IfThenElseZero(in, one));
      };
      size_t j = 0;
      for (; j + 2 <= columns; j += 2) {
        add(j, sparse0, rest0, members0);
        add(j + 1, sparse1, rest1, members1);
      }
      for (; j < columns; ++j) add(j, sparse0, rest0, members0);
      const V members = hn::Add(members0, members1), others = hn::Sub(hn::Sub(all, outside), members);
      const V sparse_mean = MeanOrZero(d, hn::Add(sparse0, sparse1), members);
      const V rest_mean = MeanOrZero(d, hn::Add(rest0, rest1), others);

      V square0 = hn::Zero(d), square1 = square0;
      sparse0 = sparse1 = rest0 = rest1 = square0;
      const auto deviate = [&](size_t k, V& sparse, V& rest, V& square) {
        const V x = at(k);
        const M in = hn::Ge(hn::Abs(x), threshold);
        V deviation = hn::Sub(x, hn::IfThenElse(in, sparse_mean, rest_mean));
        if constexpr (kBounded) deviation = hn::IfThenZeroElse(hn::Ge(hn::Abs(x), bound), deviation);
        const V size = hn::Abs(deviation);
        sparse = hn::Add(sparse, hn::IfThenElseZero(in, size));
        rest = hn::Add(rest, hn::IfThenZeroElse(in, size));
        square = hn::MulAdd(deviation, deviation, square);
      };
      for (j = 0; j + 2 <= columns; j += 2) {
        deviate(j, sparse0, rest0, square0);
        deviate(j + 1, sparse1, rest1, square1);
      }
      for (; j < columns; ++j) deviate(j, sparse0, rest0, square0);
      const V sparse = hn::Add(sparse0, sparse1), rest = hn::Add(rest0, rest1);
      const V explained = hn::Add(MeanOrZero(d, hn::Mul(sparse, sparse), members),
                                  MeanOrZero(d, hn::Mul(rest, rest), others));
      errors[c] += Total(d, hn::Sub(hn::Add(square0, square1), explained));
    }
  }
}

// T >= 0. In a sorted row the concentrated group comes first, and with sum (x - mean) = 0 over a group,
//   sum |x - mean| = 2 sum over x < mean of (mean - x) = 2 sum over x > mean of (x - mean),
// where the others (x >= threshold > mean of the concentrated, x < threshold <= mean of the sparse) would add
// nothing: no masks, and only the part of the row that can lie beyond the mean is visited. Bounds hold for
// all lanes and only move forward, as thresholds rise.
void SplitErrorsSquared(const float* tile, size_t columns, const float* thresholds, size_t count,
                        double* errors) {
  const D d;
  const V zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  HWY_ALIGN float sorted[kMaxWidth * kTileRows];
  HWY_ALIGN float prefix[(kMaxWidth + 1) * kTileRows];  // sums of x[0 .. j)
  HWY_ALIGN float suffix[(kMaxWidth + 1) * kTileRows];  // sums of x[j ..)
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    float *x = sorted + lane, *before = prefix + lane, *behind = suffix + lane;
    for (size_t j = 0; j < columns; ++j)
      hn::Store(hn::Load(d, tile + j * kTileRows + lane), d, x + j * kTileRows);
    SortNetwork(columns, [&](size_t low, size_t high) {
      const V a = hn::Load(d, x + low * kTileRows), b = hn::Load(d, x + high * kTileRows);
      hn::Store(hn::Min(a, b), d, x + low * kTileRows);
      hn::Store(hn::Max(a, b), d, x + high * kTileRows);
    });
    const auto at = [&](size_t j) { return hn::Load(d, x + j * kTileRows); };
    V sum = zero;
    for (size_t j = 0; j < columns; ++j) {
      hn::Store(sum, d, before + j * kTileRows);
      sum = hn::Add(sum, at(j));
    }
    hn::Store(sum, d, before + columns * kTileRows);
    sum = zero;
    hn::Store(sum, d, behind + columns * kTileRows);
    for (size_t j = columns; j-- > 0;) {
      sum = hn::Add(sum, at(j));
      hn::Store(sum, d, behind + j * kTileRows);
    }

    // x[j] < threshold for all lanes below `inside`, for none from `outside` on; likewise the means.
    size_t inside = 0, outside = 0, below_mean = 0, above_mean = 0;
    for (size_t c = 0; c < count; ++c) {
      const V threshold = hn::Set(d, thresholds[c]);
      while (inside < columns && hn::AllTrue(d, hn::Lt(at(inside), threshold))) ++inside;
      while (outside < columns && !hn::AllTrue(d, hn::Ge(at(outside), threshold))) ++outside;
      V rest = hn::Load(d, before + inside * kTileRows), sparse = hn::Load(d, behind + outside * kTileRows);
      V others = hn::Set(d, float(inside));
      for (size_t j = inside; j < outside; ++j) {
        const V v = at(j);
        const M in = hn::Lt(v, threshold);
        rest = hn::Add(rest, hn::IfThenElseZero(in, v));
        sparse = hn::Add(sparse, hn::IfThenZeroElse(in, v));
        others = hn::Add(others, hn::IfThenElseZero(in, one));
      }
      const V members = hn::Sub(hn::Set(d, float(columns)), others);
      const V rest_mean = MeanOrZero(d, rest, others), sparse_mean = MeanOrZero(d, sparse, members);

      while (below_mean < columns && !hn::AllTrue(d, hn::Ge(at(below_mean), rest_mean))) ++below_mean;
      V rest0 = zero, rest1 = zero;
      size_t j = 0;
      for (; j + 2 <= below_mean; j += 2) {
        rest0 = hn::Add(rest0, hn::Max(hn::Sub(rest_mean, at(j)), zero));
        rest1 = hn::Add(rest1, hn::Max(hn::Sub(rest_mean, at(j + 1)), zero));
      }
      for (; j < below_mean; ++j) rest0 = hn::Add(rest0, hn::Max(hn::Sub(rest_mean, at(j)), zero));
      // A row without sparse members has sparse mean 0: it must not hold the bound back, nor add anything.
      const V bound = hn::IfThenElse(hn::Gt(members, zero), sparse_mean, hn::Set(d, 3.0e38f));
      while (above_mean < columns && hn::AllTrue(d, hn::Le(at(above_mean), bound))) ++above_mean;
      V sparse0 = zero, sparse1 = zero;
      for (j = above_mean; j + 2 <= columns; j += 2) {
        sparse0 = hn::Add(sparse0, hn::Max(hn::Sub(at(j), bound), zero));
        sparse1 = hn::Add(sparse1, hn::Max(hn::Sub(at(j + 1), bound), zero));
      }
      for (; j < columns; ++j) sparse0 = hn::Add(sparse0, hn::Max(hn::Sub(at(j), bound), zero));

      // Error without sum T^2: -count (mean^2 + alpha^2) of both groups, with half deviations a: alpha = 2 a
      // / count.
      const V rest_half = hn::Add(rest0, rest1), sparse_half = hn::Add(sparse0, sparse1);
      const V four = hn::Set(d, 4.0f);
      const V rest_squares = hn::MulAdd(hn::Mul(rest_half, rest_half), four, hn::Mul(rest, rest));
      const V sparse_squares = hn::MulAdd(hn::Mul(sparse_half, sparse_half), four, hn::Mul(sparse, sparse));
      errors[c] -=
          Total(d, hn::Add(MeanOrZero(d, rest_squares, others), MeanOrZero(d, sparse_squares, members)));
    }
  }
}

void SplitErrors(const float* tile, size_t columns, const float* thresholds, size_t count, bool squared,
                 double* errors) {
  if (squared)
    SplitErrorsSquared(tile, columns, thresholds, count, errors);
  else
    SplitErrorsSigned<false>(tile, columns, thresholds, count, 0, errors);
}
void SplitErrorsBelow(const float* tile, size_t columns, const float* thresholds, size_t count, float below,
                      double* errors) {
  SplitErrorsSigned<true>(tile, columns, thresholds, count, below, errors);
}

// kBounded: weights with |T| >= below belong to neither group.
template <bool kBounded>
void SalientSplitErrorsOf(const float* tile, size_t columns, const float* thresholds, size_t count,
                          float below, double* errors) {
  const D d;
  const V one = hn::Set(d, 1.0f), all = hn::Set(d, float(columns)), bound = hn::Set(d, below);
  HWY_ALIGN float scratch[kMaxWidth * kTileRows];
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const float* t = tile + lane;
    const auto size_of = [&](size_t j) { return hn::Abs(hn::Load(d, t + j * kTileRows)); };
    const auto inside = [&](size_t j, V x) {
      if constexpr (kBounded) return hn::IfThenZeroElse(hn::Ge(size_of(j), bound), x);
      return x;
    };
    V candidates = all;
    if constexpr (kBounded) {
      candidates = hn::Zero(d);
      for (size_t j = 0; j < columns; ++j) candidates = hn::Add(candidates, inside(j, one));
    }
    for (size_t c = 0; c < count; ++c) {
      const V threshold = hn::Set(d, thresholds[c]);
      const auto in_sparse = [&](size_t j) { return hn::Ge(size_of(j), threshold); };
      V members = hn::Zero(d);
      for (size_t j = 0; j < columns; ++j)
        members = hn::Add(members, inside(j, hn::IfThenElseZero(in_sparse(j), one)));
      const V others = hn::Sub(candidates, members);
      const V per_member = MeanOrZero(d, one, members), per_other = MeanOrZero(d, one, others);

      // Two passes of (mean, alpha) over the residual, which starts as T itself; both groups at once.
      V explained = hn::Zero(d), squares = hn::Zero(d);
      for (int order = 0; order < 2; ++order) {
        const float* from = order == 0 ? t : scratch;
        V sparse = hn::Zero(d), rest = sparse;
        for (size_t j = 0; j < columns; ++j) {
          const V x = inside(j, hn::Load(d, from + j * kTileRows));
          sparse = hn::Add(sparse, hn::IfThenElseZero(in_sparse(j), x));
          rest = hn::Add(rest, hn::IfThenZeroElse(in_sparse(j), x));
        }
        const V sparse_mean = hn::Mul(sparse, per_member), rest_mean = hn::Mul(rest, per_other);
        sparse = rest = squares = hn::Zero(d);
        for (size_t j = 0; j < columns; ++j) {
          const M in = in_sparse(j);
          const V mean = hn::IfThenElse(in, sparse_mean, rest_mean);
          const V x = inside(j, hn::Sub(hn::Load(d, from + j * kTileRows), mean));
          hn::Store(x, d, scratch + j * kTileRows);
          sparse = hn::Add(sparse, hn::IfThenElseZero(in, hn::Abs(x)));
          rest = hn::Add(rest, hn::IfThenZeroElse(in, hn::Abs(x)));
          squares = hn::MulAdd(x, x, squares);
        }
        explained =
            hn::Add(hn::Mul(hn::Mul(sparse, sparse), per_member), hn::Mul(hn::Mul(rest, rest), per_other));
        if (order == 1) break;
        const V sparse_alpha = hn::Mul(sparse, per_member), rest_alpha = hn::Mul(rest, per_other);
        for (size_t j = 0; j < columns; ++j) {
          const V alpha = hn::IfThenElse(in_sparse(j), sparse_alpha, rest_alpha);
          hn::Store(Residual(d, hn::Load(d, scratch + j * kTileRows), alpha), d, scratch + j * kTileRows);
        }
      }
      errors[c] += Total(d, hn::Sub(squares, explained));
    }
  }
}

void SalientSplitErrors(const float* tile, size_t columns, const float* thresholds, size_t count, float below,
                        double* errors) {
  if (below < HUGE_VALF)
    SalientSplitErrorsOf<true>(tile, columns, thresholds, count, below, errors);
  else
    SalientSplitErrorsOf<false>(tile, columns, thresholds, count, below, errors);
}

void SearchMatrix(const float* weight, const float* scale, bool squared, size_t columns, float* tile,
                  double* column_sums) {
  const D d;
  for (size_t j = 0; j < columns; ++j) {
    V sum = hn::Zero(d);
    for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
      const size_t at = j * kTileRows + lane;
      V x = hn::Load(d, weight + at);
      if (squared) {
        x = hn::Mul(x, hn::Set(d, scale[j]));
        x = hn::Mul(x, x);
      }
      hn::Store(x, d, tile + at);
      sum = hn::Add(sum, hn::Abs(x));
    }
    column_sums[j] += Total(d, sum);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(SalientCountErrors);
HWY_EXPORT(SplitErrors);
HWY_EXPORT(SplitErrorsBelow);
HWY_EXPORT(SalientSplitErrors);
HWY_EXPORT(SearchMatrix);

void salient_count_errors(const float* tile, size_t columns, size_t up, double* errors) {
  HWY_DYNAMIC_DISPATCH(SalientCountErrors)(tile, columns, up, errors);
}
void split_errors(const float* tile, size_t columns, const float* thresholds, size_t count, bool squared,
                  double* errors) {
  HWY_DYNAMIC_DISPATCH(SplitErrors)(tile, columns, thresholds, count, squared, errors);
}
void split_errors_below(const float* tile, size_t columns, const float* thresholds, size_t count, float below,
                        double* errors) {
  HWY_DYNAMIC_DISPATCH(SplitErrorsBelow)(tile, columns, thresholds, count, below, errors);
}
void salient_split_errors(const float* tile, size_t columns, const float* thresholds, size_t count,
                          float below, double* errors) {
  HWY_DYNAMIC_DISPATCH(SalientSplitErrors)(tile, columns, thresholds, count, below, errors);
}
void search_matrix(const float* weight, const float* scale, bool squared, size_t columns, float* tile,
                   double* column_sums) {
  HWY_DYNAMIC_DISPATCH(SearchMatrix)(weight, scale, squared, columns, tile, column_sums);
}

}  // namespace signum
#endif
