#include "methods/rising_cuts.h"

#include <algorithm>
#include <cmath>

#include "methods/tiles.h"

namespace signum {
namespace {

// Numbers of a rank: e(rank)^T S e(each other cut at the time it passed), half of e(rank)^T S e(rank) at its
// own, e(rank)^T S e(n), e(rank)^T S y; with them half of an error is what comes out.
constexpr size_t kAll = kCuts, kProduct = kCuts + 1;

template <class T>
std::unique_ptr<T[], AlignedFree> zeros(size_t count) {
  auto array = aligned_array<T>(count);
  std::fill_n(array.get(), count, T(0));
  return array;
}

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
      rank_of_(gram.columns),
      found_(kCuts * padded_),
      table_(aligned_array<int32_t>((gram.columns + 1) * kGramChunk)),
      factors_(zeros<double>(count * kSlots)),
      errors_(zeros<double>(count * kSlots)) {
  thresholds_.resize(padded_, thresholds[count - 1]);
  for (size_t cut = 0; cut < kCuts; ++cut) {
    first_[cut].resize(gram.columns);
    rank_[cut].resize(padded_);
    place_[cut].resize(padded_ + 1);
    added_[cut] = zeros<int32_t>(gram.columns * kSlots);
    sums_[cut] = aligned_array<int64_t>((gram.columns + 1) * kSlots);
  }
}

void RisingCuts::load(const Row& row) {
  if (n_ < gram_.columns) std::fill(rank_of_.begin(), rank_of_.end(), uint32_t(n_));
  sum_[0] = 0;
  for (size_t i = 0; i < n_; ++i) {
    const uint32_t column = uint32_t(int32_t(row.column[i * kTileRows]));
    column_[i] = column;
    rank_of_[column] = uint32_t(i);
    t_[i] = row.sorted[i * kTileRows];
    sum_[i + 1] = row.sum[(i + 1) * kTileRows];
  }
}

// Cuts and heights of all candidates. The cuts rise but for rounding, which must not take one back.
void RisingCuts::place_cuts(double product_unit) {
  CutsOfRow cuts;
  for (size_t cut = 0; cut < kCuts; ++cut) {
    cuts.rank[cut] = found_.data() + cut * padded_;
    cuts.height[cut] = heights_.data() + cut * padded_;
    cuts.first[cut] = first_[cut].data();
    std::fill_n(first_[cut].begin(), n_, uint32_t(count_ - 1));
  }
  cuts.last = heights_.data() + kCuts * padded_;
  find_cuts({t_.data(), sum_.data(), n_, thresholds_.data(), padded_}, cuts);
  uint32_t rank[kCuts] = {};
  for (size_t c = 0; c < padded_; ++c)
    for (size_t cut = 0; cut < kCuts; ++cut) {
      rank[cut] = std::max(rank[cut], uint32_t(cuts.rank[cut][c]));
      rank_[cut][c] = rank[cut];
      place_[cut][c + 1] = rank[cut] * uint32_t(kGramChunk);
    }
  for (size_t c = 0; c < count_; ++c) {
    double* factor = factors_.get() + c * kSlots;
    for (size_t h = 0; h <= kCuts; ++h) factor[h] = double(heights_[h * padded_ + c]);
    factor[kProduct] = -product_unit / gram_.unit;
  }
}

// What the weights of a chunk of columns add to the cuts' products as they are passed. From candidate to
// candidate the tail moves first, then the cut between the groups, then the middle.
void RisingCuts::add_columns(size_t begin, const int32_t* product) {
  const uint32_t *middle = place_[kMiddle].data(), *high = place_[kHigh].data(), *tail = place_[kTail].data();
  for (size_t column = begin; column < std::min(begin + kGramChunk, gram_.columns); ++column) {
    const size_t i = rank_of_[column];
    if (i >= n_) continue;
    const int32_t* at = table_.get() + column - begin;  // at[place]: e(rank)^T S of this column
    const int32_t own = at[i * kGramChunk], all = at[n_ * kGramChunk];
    const int32_t half = gram_.row(column)[column] / 2;
    const auto put = [&](Cut cut, int32_t a, int32_t b, int32_t c) {
      int32_t* to = added_[cut].get() + i * kSlots;
      to[kMiddle] = a;
      to[kHigh] = b;
      to[kTail] = c;
      to[kAll] = all;
      to[kProduct] = product[column * kTileRows];
    };
    const size_t by_middle = first_[kMiddle][i], by_high = first_[kHigh][i], by_tail = first_[kTail][i];
    put(kMiddle, own + half, at[high[by_middle + 1]], at[tail[by_middle + 1]]);
    put(kHigh, at[middle[by_high]], own + half, at[tail[by_high + 1]]);
    put(kTail, at[middle[by_tail]], at[high[by_tail]], own + half);
  }
}

void RisingCuts::add(size_t n, const Row& row) {
  n_ = n;
  if (n == 0) return;
  load(row);
  place_cuts(row.product_unit);
  for (size_t begin = 0; begin < gram_.columns; begin += kGramChunk) {
    indicator_products(gram_, column_.data(), n, begin, table_.get());
    add_columns(begin, row.product);
  }
  for (size_t cut = 0; cut < kCuts; ++cut) sum_ranks(added_[cut].get(), n, sums_[cut].get());
  const int64_t* last = sums_[kMiddle].get() + n * kSlots;
  const int64_t end[kSlots] = {0, 0, 0, last[kMiddle], last[kProduct]};
  add_scores({count_,
              factors_.get(),
              {rank_[kMiddle].data(), rank_[kHigh].data(), rank_[kTail].data()},
              {sums_[kMiddle].get(), sums_[kHigh].get(), sums_[kTail].get()},
              end},
             errors_.get());
}

void RisingCuts::finish(double* errors) const {
  for (size_t c = 0; c < count_; ++c) {
    double sum = 0;
    for (size_t slot = 0; slot < kSlots; ++slot) sum += errors_[c * kSlots + slot];
    errors[c] += 2 * gram_.unit * sum;
  }
}

}  // namespace signum
