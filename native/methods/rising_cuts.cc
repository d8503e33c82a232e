#include "methods/rising_cuts.h"

#include <algorithm>
#include <cmath>

#include "methods/tiles.h"

namespace signum {
namespace {

// Numbers of a rank: e(rank)^T S e(each other cut at the time it passed), e(rank)^T S e(rank) at its own,
// e(rank)^T S e(n), e(rank)^T S y.
constexpr size_t kAll = kCuts, kProduct = kCuts + 1;

}  // namespace

RisingCuts::RisingCuts(const FixedGram& gram, const float* thresholds, size_t count)
    : gram_(gram),
      count_(count),
      padded_((count + kCandidatePadding - 1) / kCandidatePadding * kCandidatePadding),
      thresholds_(thresholds, thresholds + count),
      t_(gram.columns),
      sum_(gram.columns + 1),
      heights_((kCuts + 1) * padded_),
      column_(gram.columns),
      found_(kCuts * padded_),
      table_((gram.columns + 1) * gram.stride),
      product_(gram.columns),
      factors_(count * kSlots),
      errors_(count * kSlots) {
  thresholds_.resize(padded_, thresholds[count - 1]);
  for (size_t cut = 0; cut < kCuts; ++cut) {
    first_[cut].resize(gram.columns);
    rank_[cut].resize(padded_);
    place_[cut].resize(padded_ + 1);
    sums_[cut].resize((gram.columns + 1) * kSlots);
  }
}

void RisingCuts::load(size_t n, const float* sorted, const float* column, const float* product) {
  n_ = n;
  double sum = 0;
  float largest = 0;
  for (size_t i = 0; i < n; ++i) {
    column_[i] = uint32_t(column[i * kTileRows]);
    t_[i] = sorted[i * kTileRows];
    sum += double(t_[i]);
    sum_[i + 1] = float(sum);
    largest = std::max(largest, std::fabs(product[column_[i] * kTileRows]));
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  product_unit_ = std::ldexp(1.0, exponent - 40);
  const double units = 1 / product_unit_;
  for (size_t i = 0; i < n; ++i) product_[i] = int64_t(double(product[column_[i] * kTileRows]) * units);
}

// Cuts and heights of all candidates. The cuts rise but for rounding, which must not take one back.
void RisingCuts::place_cuts() {
  CutsOfRow cuts;
  for (size_t cut = 0; cut < kCuts; ++cut) {
    cuts.rank[cut] = found_.data() + cut * padded_;
    cuts.height[cut] = heights_.data() + cut * padded_;
    cuts.first[cut] = first_[cut].data();
    std::fill_n(first_[cut].begin(), n_, uint32_t(count_ - 1));
  }
  cuts.last = heights_.data() + kCuts * padded_;
  find_cuts({t_.data(), sum_.data(), n_, thresholds_.data(), padded_}, cuts);
  for (size_t cut = 0; cut < kCuts; ++cut) {
    uint32_t rank = 0;
    for (size_t c = 0; c < padded_; ++c) {
      rank = std::max(rank, uint32_t(cuts.rank[cut][c]));
      rank_[cut][c] = rank;
      place_[cut][c + 1] = rank * gram_.stride;
    }
  }
  for (size_t c = 0; c < count_; ++c) {
    double* factor = factors_.data() + c * kSlots;
    for (size_t h = 0; h <= kCuts; ++h) factor[h] = double(heights_[h * padded_ + c]);
    factor[kProduct] = product_unit_ / gram_.unit;
  }
}

// What the cuts' products are at every rank. From candidate to candidate the tail moves first, then the cut
// between the groups, then the middle.
void RisingCuts::sum_ranks() {
  const size_t *middle = place_[kMiddle].data(), *high = place_[kHigh].data(), *tail = place_[kTail].data();
  const size_t stride = gram_.stride;
  int64_t own = 0, with_all = 0, with_y = 0;
  int64_t middle_high = 0, middle_tail = 0, high_middle = 0, high_tail = 0, tail_middle = 0, tail_high = 0;
  const auto put = [&](Cut cut, size_t rank, int64_t a, int64_t b, int64_t c) {
    int64_t* at = sums_[cut].data() + rank * kSlots;
    at[kMiddle] = a;
    at[kHigh] = b;
    at[kTail] = c;
    at[kAll] = with_all;
    at[kProduct] = with_y;
  };
  for (size_t i = 0;; ++i) {
    put(kMiddle, i, own, middle_high, middle_tail);
    put(kHigh, i, high_middle, own, high_tail);
    put(kTail, i, tail_middle, tail_high, own);
    if (i == n_) break;
    const uint32_t column = column_[i];
    const int32_t* at = table_.data() + column;  // at[place]: e(rank)^T S of this column
    const auto twice = [&](size_t place) { return 2 * int64_t(at[place]); };
    own += twice(i * stride) + gram_.row(column)[column];
    with_all += twice(n_ * stride);
    with_y -= 2 * product_[i];
    const size_t by_middle = first_[kMiddle][i], by_high = first_[kHigh][i], by_tail = first_[kTail][i];
    middle_high += twice(high[by_middle + 1]);
    middle_tail += twice(tail[by_middle + 1]);
    high_middle += twice(middle[by_high]);
    high_tail += twice(tail[by_high + 1]);
    tail_middle += twice(middle[by_tail]);
    tail_high += twice(high[by_tail]);
  }
}

void RisingCuts::add(size_t n, const float* sorted, const float* column, const float* product) {
  if (n == 0) return;
  load(n, sorted, column, product);
  indicator_products(gram_, column_.data(), n, table_.data());
  place_cuts();
  sum_ranks();
  const int64_t* last = sums_[kMiddle].data() + n * kSlots;
  const int64_t end[kSlots] = {0, 0, 0, last[kMiddle], last[kProduct]};
  add_scores({count_,
              factors_.data(),
              {rank_[kMiddle].data(), rank_[kHigh].data(), rank_[kTail].data()},
              {sums_[kMiddle].data(), sums_[kHigh].data(), sums_[kTail].data()},
              end},
             errors_.data());
}

void RisingCuts::finish(double* errors) const {
  for (size_t c = 0; c < count_; ++c) {
    double sum = 0;
    for (size_t slot = 0; slot < kSlots; ++slot) sum += errors_[c * kSlots + slot];
    errors[c] += gram_.unit * sum;
  }
}

}  // namespace signum
