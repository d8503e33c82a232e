#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/search_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/search_kernels.h"
#include "methods/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kTileRows>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

constexpr size_t kMaxWidth = 256;  // largest blocksize

HWY_INLINE double Total(D d, V v) { return double(hn::GetLane(hn::SumOfLanes(d, v))); }

// x - alpha sign(x), sign(0) = 0.
HWY_INLINE V Residual(D d, V x, V alpha) {
  return hn::IfThenElse(hn::Ne(x, hn::Zero(d)), hn::Sub(x, hn::CopySign(alpha, x)), x);
}

// Squared error of binarizing columns [begin, end) of one row a lane in two orders (2.1), given the first
// mean. scratch holds the residuals [columns][16].
HWY_INLINE V TwoOrderError(D d, const float* HWY_RESTRICT t, size_t begin, size_t end, V mean,
                           float* HWY_RESTRICT scratch) {
  const V share = hn::Set(d, 1.0f / float(end - begin));
  V a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0;
  size_t j = begin;
  const auto at = [&](size_t k) { return hn::Load(d, t + k * kTileRows); };
  for (; j + 4 <= end; j += 4) {
    a0 = hn::Add(a0, hn::Abs(hn::Sub(at(j), mean)));
    a1 = hn::Add(a1, hn::Abs(hn::Sub(at(j + 1), mean)));
    a2 = hn::Add(a2, hn::Abs(hn::Sub(at(j + 2), mean)));
    a3 = hn::Add(a3, hn::Abs(hn::Sub(at(j + 3), mean)));
  }
  for (; j < end; ++j) a0 = hn::Add(a0, hn::Abs(hn::Sub(at(j), mean)));
  const V alpha = hn::Mul(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), share);

  a0 = a1 = a2 = a3 = hn::Zero(d);
  const auto residual = [&](size_t k) {
    const V r = Residual(d, hn::Sub(at(k), mean), alpha);
    hn::Store(r, d, scratch + k * kTileRows);
    return r;
  };
  for (j = begin; j + 4 <= end; j += 4) {
    a0 = hn::Add(a0, residual(j));
    a1 = hn::Add(a1, residual(j + 1));
    a2 = hn::Add(a2, residual(j + 2));
    a3 = hn::Add(a3, residual(j + 3));
  }
  for (; j < end; ++j) a0 = hn::Add(a0, residual(j));
  const V mean2 = hn::Mul(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), share);

  // sum (|x| - alpha2)^2 = sum x^2 - (sum |x|)^2 / count
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  a0 = a1 = a2 = a3 = s0;
  const auto deviation = [&](size_t k, V& sum, V& squares) {
    const V x = hn::Sub(hn::Load(d, scratch + k * kTileRows), mean2);
    sum = hn::Add(sum, hn::Abs(x));
    squares = hn::MulAdd(x, x, squares);
  };
  for (j = begin; j + 4 <= end; j += 4) {
    deviation(j, a0, s0);
    deviation(j + 1, a1, s1);
    deviation(j + 2, a2, s2);
    deviation(j + 3, a3, s3);
  }
  for (; j < end; ++j) deviation(j, a0, s0);
  const V sum = hn::Add(hn::Add(a0, a1), hn::Add(a2, a3));
  return hn::NegMulAdd(hn::Mul(sum, sum), share, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

void SalientCountErrors(const float* tile, size_t columns, size_t up, double* errors) {
  const D d;
  HWY_ALIGN float scratch[kMaxWidth * kTileRows];
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
      V error = TwoOrderError(d, t, 0, i, salient_mean, scratch);
      if (i < columns) {
        const V rest_mean =
            hn::Mul(hn::Load(d, suffix + i * kTileRows), hn::Set(d, 1.0f / float(columns - i)));
        error = hn::Add(error, TwoOrderError(d, t, i, columns, rest_mean, scratch));
      }
      errors[i] += Total(d, error);
    }
  }
}

HWY_INLINE V MeanOrZero(D d, V sum, V count) {
  return hn::IfThenElseZero(hn::Gt(count, hn::Zero(d)), hn::Div(sum, hn::Max(count, hn::Set(d, 1.0f))));
}

void SplitErrors(const float* tile, size_t columns, const float* thresholds, size_t count, double* errors) {
  const D d;
  const V one = hn::Set(d, 1.0f), all = hn::Set(d, float(columns));
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto at = [&](size_t j) { return hn::Load(d, tile + lane + j * kTileRows); };
    for (size_t c = 0; c < count; ++c) {
      const V threshold = hn::Set(d, thresholds[c]);
      V sparse0 = hn::Zero(d), sparse1 = sparse0, rest0 = sparse0, rest1 = sparse0, members0 = sparse0,
        members1 = sparse0;
      const auto add = [&](size_t j, V& sparse, V& rest, V& members) {
        const V x = at(j);
        const M in = hn::Ge(hn::Abs(x), threshold);
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
      const V members = hn::Add(members0, members1), others = hn::Sub(all, members);
      const V sparse_mean = MeanOrZero(d, hn::Add(sparse0, sparse1), members);
      const V rest_mean = MeanOrZero(d, hn::Add(rest0, rest1), others);

      V square0 = hn::Zero(d), square1 = square0;
      sparse0 = sparse1 = rest0 = rest1 = square0;
      const auto deviate = [&](size_t k, V& sparse, V& rest, V& square) {
        const V x = at(k);
        const M in = hn::Ge(hn::Abs(x), threshold);
        const V deviation = hn::Sub(x, hn::IfThenElse(in, sparse_mean, rest_mean)), size = hn::Abs(deviation);
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

void SalientSplitErrors(const float* tile, size_t columns, const float* thresholds, size_t count,
                        double* errors) {
  const D d;
  const V one = hn::Set(d, 1.0f), all = hn::Set(d, float(columns));
  HWY_ALIGN float scratch[kMaxWidth * kTileRows];
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const float* t = tile + lane;
    for (size_t c = 0; c < count; ++c) {
      const V threshold = hn::Set(d, thresholds[c]);
      const auto in_sparse = [&](size_t j) {
        return hn::Ge(hn::Abs(hn::Load(d, t + j * kTileRows)), threshold);
      };
      V members = hn::Zero(d);
      for (size_t j = 0; j < columns; ++j) members = hn::Add(members, hn::IfThenElseZero(in_sparse(j), one));
      const V others = hn::Sub(all, members);

      // Two passes of (mean, alpha) over the residual, which starts as T itself; both groups at once.
      V explained = hn::Zero(d), squares = hn::Zero(d);
      for (int order = 0; order < 2; ++order) {
        const float* from = order == 0 ? t : scratch;
        V sparse = hn::Zero(d), rest = sparse;
        for (size_t j = 0; j < columns; ++j) {
          const V x = hn::Load(d, from + j * kTileRows);
          sparse = hn::Add(sparse, hn::IfThenElseZero(in_sparse(j), x));
          rest = hn::Add(rest, hn::IfThenZeroElse(in_sparse(j), x));
        }
        const V sparse_mean = MeanOrZero(d, sparse, members), rest_mean = MeanOrZero(d, rest, others);
        sparse = rest = squares = hn::Zero(d);
        for (size_t j = 0; j < columns; ++j) {
          const M in = in_sparse(j);
          const V x = hn::Sub(hn::Load(d, from + j * kTileRows), hn::IfThenElse(in, sparse_mean, rest_mean));
          hn::Store(x, d, scratch + j * kTileRows);
          sparse = hn::Add(sparse, hn::IfThenElseZero(in, hn::Abs(x)));
          rest = hn::Add(rest, hn::IfThenZeroElse(in, hn::Abs(x)));
          squares = hn::MulAdd(x, x, squares);
        }
        explained = hn::Add(MeanOrZero(d, hn::Mul(sparse, sparse), members),
                            MeanOrZero(d, hn::Mul(rest, rest), others));
        if (order == 1) break;
        const V sparse_alpha = MeanOrZero(d, sparse, members), rest_alpha = MeanOrZero(d, rest, others);
        for (size_t j = 0; j < columns; ++j) {
          const V alpha = hn::IfThenElse(in_sparse(j), sparse_alpha, rest_alpha);
          hn::Store(Residual(d, hn::Load(d, scratch + j * kTileRows), alpha), d, scratch + j * kTileRows);
        }
      }
      errors[c] += Total(d, hn::Sub(squares, explained));
    }
  }
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
HWY_EXPORT(SalientSplitErrors);
HWY_EXPORT(SearchMatrix);

void salient_count_errors(const float* tile, size_t columns, size_t up, double* errors) {
  HWY_DYNAMIC_DISPATCH(SalientCountErrors)(tile, columns, up, errors);
}
void split_errors(const float* tile, size_t columns, const float* thresholds, size_t count, double* errors) {
  HWY_DYNAMIC_DISPATCH(SplitErrors)(tile, columns, thresholds, count, errors);
}
void salient_split_errors(const float* tile, size_t columns, const float* thresholds, size_t count,
                          double* errors) {
  HWY_DYNAMIC_DISPATCH(SalientSplitErrors)(tile, columns, thresholds, count, errors);
}
void search_matrix(const float* weight, const float* scale, bool squared, size_t columns, float* tile,
                   double* column_sums) {
  HWY_DYNAMIC_DISPATCH(SearchMatrix)(weight, scale, squared, columns, tile, column_sums);
}

}  // namespace signum
#endif
