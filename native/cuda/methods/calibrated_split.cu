#include "cuda/methods/calibrated_split.h"
#include "cuda/methods/row_lanes.h"
#include "cuda/methods/sorted_row.h"

namespace signum::cuda {
namespace {

// One row of T, sorted: t[0] <= ... <= t[n - 1]; the concentrated weights have the ranks [low, high). With
// e(i) = the indicator of the first i weights, what a candidate makes of the row is a step function of the
// rank,
//   q = sum over cuts of height * e(cut),
// so that with y = T less what is fitted its error is, but for y^T S y,
//   sum height (-2 e(cut)^T S y) + sum height height' e(cut)^T S e(cut').
// S in whole units, so that sums over it are exact; a warp has the row, and each lane three of the
// candidates, whose products of two cuts it adds up column by column from a table of S e(i).

constexpr unsigned kBandRows = 4;  // rows of a warp
constexpr unsigned kSlots = (kThresholds + 31) / 32;

struct Problem {
  CalibratedSplit split;
  const int32_t* fixed;  // [n][n], n other columns
  const double* unit;
  const float* product;
};

// e(x)^T S e(y) of every two cuts.
struct Crossed {
  long long middle_low = 0, high_low = 0, high_middle = 0, tail_low = 0, tail_middle = 0, tail_high = 0;
};

// S e(i) of columns [begin, begin + 32), a lane each, and what ranks need of it.
__device__ void fill_table(const Problem& p, const SortedRow& row, unsigned columns, unsigned begin,
                           const float* product, double inverse_unit) {
  const unsigned lane = threadIdx.x % 32, column = begin + lane;
  const bool there = column < columns;
  const unsigned rank = there ? row.rank[column] : kOutside;
  int32_t sum = 0, before = 0;
  for (unsigned i = 0; i <= row.n; ++i) {
    row.table[i * kTableStride + lane] = sum;
    if (i == rank) before = sum;
    if (i < row.n && there) sum += p.fixed[size_t(row.column[i]) * columns + column];
  }
  if (rank != kOutside) {
    row.own[rank + 1] = 2 * double(before) + double(p.fixed[size_t(column) * columns + column]);
    row.with_all[rank + 1] = double(sum);
    row.with_y[rank + 1] = double(product[column * kLaneRows]) * inverse_unit;
  }
  warp_barrier();
}

__device__ void add_chunk(const SortedRow& row, unsigned columns, unsigned begin, const Candidate& c,
                          Crossed& e) {
  const int32_t *low = row.table + c.cut[kLow] * kTableStride,
                *middle = row.table + c.cut[kMiddle] * kTableStride,
                *high = row.table + c.cut[kHigh] * kTableStride;
  const unsigned end = columns - begin < kChunk ? columns - begin : kChunk;
  for (unsigned j = 0; j < end; ++j) {
    const unsigned rank = row.rank[begin + j];
    const int32_t l = low[j], m = middle[j], h = high[j];
    e.middle_low += rank < c.cut[kMiddle] ? l : 0;
    e.high_low += rank < c.cut[kHigh] ? l : 0;
    e.high_middle += rank < c.cut[kHigh] ? m : 0;
    e.tail_low += rank < c.cut[kTail] ? l : 0;
    e.tail_middle += rank < c.cut[kTail] ? m : 0;
    e.tail_high += rank < c.cut[kTail] ? h : 0;
  }
}

__device__ double error_of(const SortedRow& row, const Candidate& c, const Crossed& e) {
  const auto own = [&](Cut cut) {
    const unsigned at = c.cut[cut];
    return c.height[cut] * row.own[at] + 2 * (c.last * row.with_all[at] - row.with_y[at]);
  };
  double error = c.last * (c.last * row.own[row.n] - 2 * row.with_y[row.n]);
  error += c.height[kLow] * own(kLow);
  error += c.height[kMiddle] * (own(kMiddle) + 2 * c.height[kLow] * double(e.middle_low));
  error += c.height[kHigh] * (own(kHigh) + 2 * c.height[kLow] * double(e.high_low) +
                              2 * c.height[kMiddle] * double(e.high_middle));
  error += c.height[kTail] *
           (own(kTail) + 2 * c.height[kLow] * double(e.tail_low) +
            2 * c.height[kMiddle] * double(e.tail_middle) + 2 * c.height[kHigh] * double(e.tail_high));
  return error;
}

// A warp a block, for kBandRows rows.
__global__ void errors_kernel(Problem p) {
  const SplitPass& pass = p.split.pass;
  const unsigned width = pass.shape.width, lane = threadIdx.x;
  const Columns others = columns_of(*pass.choice, Part::Others, width);
  const unsigned columns = others.count();
  const float bound = bound_of(*pass.choice, Part::Others, pass.passes);
  const double unit = *p.unit;
  SortedRow row(width);
  double errors[kSlots];
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) errors[s] = 0;
  double whole = 0;
  for (unsigned band_row = 0; band_row < kBandRows; ++band_row) {
    const size_t r = size_t(blockIdx.x) * kBandRows + band_row;
    if (r >= pass.shape.rows) break;
    const size_t at = r / kLaneRows * width * kLaneRows + r % kLaneRows,
                 first = at + others.begin * kLaneRows;
    for (unsigned j = lane; j < columns; j += 32) row.raw[j] = pass.search[first + j * kLaneRows];
    warp_barrier();
    sort_row(row, columns, bound);
    Candidate candidates[kSlots];
    Crossed crossed[kSlots];
#pragma unroll
    for (unsigned s = 0; s < kSlots; ++s) {
      const unsigned c = s * 32 + lane;
      candidates[s] = place_cuts(row, pass.candidates[c < kThresholds ? c : kThresholds - 1]);
    }
    for (unsigned begin = 0; begin < columns; begin += kChunk) {
      fill_table(p, row, columns, begin, p.product + first, 1 / unit);
#pragma unroll
      for (unsigned s = 0; s < kSlots; ++s) add_chunk(row, columns, begin, candidates[s], crossed[s]);
      warp_barrier();
    }
    run_sums(row.own, row.n);
    run_sums(row.with_all, row.n);
    run_sums(row.with_y, row.n);
#pragma unroll
    for (unsigned s = 0; s < kSlots; ++s) errors[s] += error_of(row, candidates[s], crossed[s]);
    if (p.split.whole)
      for (unsigned j = lane; j < width; j += 32)
        whole += double(p.split.left[at + j * kLaneRows]) * double(p.product[at + j * kLaneRows]);
    warp_barrier();
  }
  whole = warp_sum(whole);
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) {
    const unsigned c = s * 32 + lane;
    if (c < kThresholds) pass.partial[blockIdx.x * size_t(kErrorSlots) + c] = unit * errors[s] + whole;
  }
}

// The unit: 2^-30 of the largest row's sum (methods/fixed_gram.h).
__global__ void unit_kernel(CalibratedSplit split, double* unit) {
  __shared__ double room[32];
  const unsigned width = split.pass.shape.width;
  const Columns columns = columns_of(*split.pass.choice, Part::Others, width);
  double sum = 0;
  if (threadIdx.x < columns.count())
    for (unsigned j = columns.begin; j < columns.end; ++j)
      sum += fabs(double(split.gram[size_t(j) * width + columns.begin + threadIdx.x]));
  const double largest = block_max(sum, room);
  int exponent = 0;
  frexp(largest, &exponent);
  if (threadIdx.x == 0) *unit = ldexp(1.0, exponent - 30);
}
__global__ void fix_kernel(CalibratedSplit split, const double* unit, int32_t* fixed) {
  const unsigned width = split.pass.shape.width;
  const Columns columns = columns_of(*split.pass.choice, Part::Others, width);
  const unsigned n = columns.count(), i = blockIdx.x;
  if (i >= n) return;
  for (unsigned j = threadIdx.x; j < n; j += blockDim.x)
    fixed[size_t(i) * n + j] =
        int32_t(rint(double(split.gram[size_t(columns.begin + i) * width + columns.begin + j]) / *unit));
}

}  // namespace

CalibratedSplits::CalibratedSplits(Card& card, const BlockShape& shape)
    : card_(card),
      fixed_(card.device, size_t(shape.width) * shape.width, "the split search"),
      unit_(card.device, 1, "the split search"),
      product_(card.device, shape.size(), "the split search") {}

size_t CalibratedSplits::bands(size_t rows) { return (rows + kBandRows - 1) / kBandRows; }

size_t CalibratedSplits::errors(const CalibratedSplit& split) {
  const BlockShape& shape = split.pass.shape;
  const size_t width = shape.width, tile = width * kLaneRows;
  launch(card_.device, unit_kernel, Grid{dim3(1), dim3(kMaxWidth)}, split, unit_.data());
  launch(card_.device, fix_kernel, Grid{dim3(shape.width), dim3(128)}, split, unit_.data(), fixed_.data());
  card_.blas.gemm_batched({.count = shape.tiles(), .a_step = 0, .b_step = tile, .c_step = tile}, false, false,
                          width, kLaneRows, width, 1, split.gram, width, split.left, kLaneRows, 0,
                          product_.data(), kLaneRows);
  const size_t count = bands(shape.rows);
  launch(card_.device, errors_kernel, Grid{dim3(unsigned(count)), dim3(32), SortedRow::bytes(shape.width)},
         Problem{split, fixed_.data(), unit_.data(), product_.data()});
  return count;
}

}  // namespace signum::cuda
