// A row of T, sorted, and where the candidates for a split cut it (methods/calibrated_split.cc). For kernels,
// by a warp.
#pragma once

#include "cuda/math/sums.h"

namespace signum::cuda {

inline constexpr unsigned kChunk = 32, kTableStride = kChunk + 1;  // columns of S e(i) that are there at once
inline constexpr unsigned kOutside = 0xFFFF;                       // the rank of a weight that is not split

// The room of one row in shared memory.
struct SortedRow {
  double *sum, *with_y, *with_all, *own;  // [n + 1] of e(i): t, S y, S e(n), S e(i)
  int32_t* table;                         // [n + 1][33]: S e(i) of a chunk of columns
  float *raw, *t;                         // by column, by rank
  uint16_t *rank, *column;                // of a column, of a rank
  unsigned n;

  __device__ explicit SortedRow(unsigned width)
      : sum(shared_memory<double>()),
        with_y(sum + width + 1),
        with_all(with_y + width + 1),
        own(with_all + width + 1),
        table(reinterpret_cast<int32_t*>(own + width + 1)),
        raw(reinterpret_cast<float*>(table + (width + 1) * kTableStride)),
        t(raw + width),
        rank(reinterpret_cast<uint16_t*>(t + width)),
        column(rank + width),
        n(0) {}
  static size_t bytes(unsigned width) {
    return (width + 1) * (4 * sizeof(double) + kTableStride * sizeof(int32_t)) +
           width * (2 * sizeof(float) + 2 * sizeof(uint16_t));
  }

  // The first rank of [begin, end) whose value is not below `value`.
  __device__ unsigned seek(unsigned begin, unsigned end, double value) const {
    while (begin < end) {
      const unsigned middle = (begin + end) / 2;
      if (double(t[middle]) < value)
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }
  // The first rank whose value lies above `value`.
  __device__ unsigned beyond(double value) const {
    unsigned begin = 0, end = n;
    while (begin < end) {
      const unsigned middle = (begin + end) / 2;
      if (double(t[middle]) <= value)
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }
};

// Running sums of a[1, n] in place, a[0] = 0, by a warp.
__device__ inline void run_sums(double* a, unsigned n) {
  const unsigned lane = threadIdx.x % 32, share = (n + 31) / 32, begin = lane * share;
  double sum = 0;
  for (unsigned i = begin; i < begin + share && i < n; ++i) sum += a[i + 1];
  double end = sum;
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const double other = warp_up(end, distance);
    if (lane >= distance) end += other;
  }
  sum = end - sum;
  for (unsigned i = begin; i < begin + share && i < n; ++i) a[i + 1] = sum += a[i + 1];
  if (lane == 0) a[0] = 0;
  warp_barrier();
}

// Ranks of the weights that are left to be split, by counting.
__device__ inline void sort_row(SortedRow& row, unsigned columns, float bound) {
  const unsigned lane = threadIdx.x % 32;
  unsigned inside = 0;
  for (unsigned j = lane; j < columns; j += 32) {
    const float x = row.raw[j];
    unsigned rank = kOutside;
    if (fabsf(x) < bound) {
      rank = 0;
      for (unsigned i = 0; i < columns; ++i) {
        const float other = row.raw[i];
        rank += fabsf(other) < bound && (other < x || (other == x && i < j));
      }
      row.t[rank] = x;
      row.column[rank] = uint16_t(j);
      row.sum[rank + 1] = double(x);
      ++inside;
    }
    row.rank[j] = uint16_t(rank);
  }
  row.n = warp_sum(inside);
  warp_barrier();
  run_sums(row.sum, row.n);
}

// Mean |t - mean| of a group, given how many of it lie below its mean and their sum.
__device__ inline double deviations(double sum, double members, double sum_below, double below, double mean) {
  return members > 0 ? (sum - 2 * sum_below - mean * (members - 2 * below)) / members : 0;
}

enum Cut { kLow, kMiddle, kHigh, kTail, kCuts };
struct Candidate {
  unsigned cut[kCuts];
  double height[kCuts], last;
};

// methods/calibrated_split.cc, SortedRow::error.
__device__ inline Candidate place_cuts(const SortedRow& row, float threshold) {
  Candidate c;
  const unsigned n = row.n;
  const unsigned high = threshold > 0 ? row.seek(0, n, threshold) : 0;  // at 0 all are sparse
  const unsigned low = threshold > 0 ? row.beyond(-double(threshold)) : 0;
  const double between = row.sum[high] - row.sum[low], members = double(high) - double(low);
  const double mean = members > 0 ? between / members : 0;
  const unsigned middle = row.seek(low, high, mean);
  const double alpha =
      deviations(between, members, row.sum[middle] - row.sum[low], double(middle) - double(low), mean);
  const double beyond = row.sum[n] - between, others = double(n) - members;
  const double sparse_mean = others > 0 ? beyond / others : 0;
  // Whether the sparse weights' mean lies above the concentrated.
  const bool upper = high < n && double(row.t[high]) < sparse_mean;
  const unsigned tail = upper ? row.seek(high, n, sparse_mean) : row.seek(0, low, sparse_mean);
  const double sparse_alpha = deviations(beyond, others, upper ? row.sum[tail] - between : row.sum[tail],
                                         upper ? double(tail) - members : double(tail), sparse_mean);
  c.cut[kLow] = low, c.cut[kMiddle] = middle, c.cut[kHigh] = high, c.cut[kTail] = tail;
  c.last = sparse_mean + sparse_alpha;
  const double beside = upper ? sparse_mean - sparse_alpha : c.last;
  c.height[kLow] = beside - (mean - alpha);
  c.height[kMiddle] = -2 * alpha;
  c.height[kHigh] = mean + alpha - beside;
  c.height[kTail] = -2 * sparse_alpha;
  return c;
}

}  // namespace signum::cuda
