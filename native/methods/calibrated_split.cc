#include "methods/calibrated_split.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "methods/arb_kernels.h"
#include "methods/calibrated_split_kernels.h"
#include "methods/rising_cuts.h"
#include "methods/tiles.h"

namespace signum {
namespace {

// One row of T, sorted: t[0] <= ... <= t[n - 1]; the concentrated weights have the ranks [low, high). With
// e(i) = the indicator of the first i weights, what a candidate makes of the row is a step function of the
// rank,
//   q = sum over cuts of height * e(cut),
// so that with y = T less the salient columns' fit its error is, but for y^T S y,
//   sum height (-2 e(cut)^T S y) + sum height height' e(cut)^T S e(cut').
// From one threshold to the next the cuts move a little, and their products along with them, in O(n) a row
// beside S e(i). S in whole units, the products in F64.
class SortedRow {
 public:
  explicit SortedRow(const FixedGram& gram)
      : gram_(gram),
        t_(gram.columns),
        sum_(gram.columns + 1),
        with_y_(gram.columns + 1),
        with_all_(gram.columns + 1),
        own_(gram.columns + 1),
        table_((gram.columns + 1) * gram.stride),
        chunk_((gram.columns + 1) * kGramChunk),
        column_(gram.columns) {}

  // sorted, column [n][16] at this row's lane: T of the weights to be split and their columns' numbers in its
  // order. product [columns][16]: S y by column.
  void set(size_t n, const float* sorted, const float* column, const float* product) {
    n_ = low_ = n;
    high_ = 0;
    for (size_t i = 0; i < n; ++i) {
      column_[i] = uint32_t(column[i * kTileRows]);
      t_[i] = sorted[i * kTileRows];
    }
    for (size_t begin = 0; begin < gram_.stride; begin += kGramChunk) {
      indicator_products(gram_, column_.data(), n, begin, chunk_.data());
      for (size_t i = 0; i <= n; ++i)
        std::copy_n(chunk_.data() + i * kGramChunk, kGramChunk, table_.data() + i * gram_.stride + begin);
    }
    for (size_t i = 0; i < n; ++i) {
      const size_t c = column_[i];
      sum_[i + 1] = sum_[i] + t_[i];
      with_y_[i + 1] = with_y_[i] + double(product[c * kTileRows]) / gram_.unit;
      own_[i + 1] = own_[i] + 2 * double(table_[i * gram_.stride + c]) + double(gram_.row(c)[c]);
    }
    for (size_t i = 0; i < n; ++i)
      with_all_[i + 1] = with_all_[i] + double(table_[n * gram_.stride + column_[i]]);
    std::fill_n(cut_, kCuts, size_t(0));
    std::fill_n(&cross_[0][0], kCuts * kCuts, 0.0);
  }

  // Thresholds must rise from call to call.
  double error(float threshold) {
    while (high_ < n_ && t_[high_] < threshold) ++high_;
    while (low_ > 0 && t_[low_ - 1] > -threshold) --low_;
    const size_t low = threshold > 0 ? low_ : 0, high = threshold > 0 ? high_ : 0;  // at 0 all are sparse
    const double between = sum_[high] - sum_[low], members = double(high - low);
    const double mean = members > 0 ? between / members : 0;
    const size_t middle = seek(cut_[kMiddle], low, high, mean);
    const double alpha = deviations(between, members, sum_[middle] - sum_[low], double(middle - low), mean);

    const double beyond = sum_[n_] - between, others = double(n_) - members;
    const double sparse_mean = others > 0 ? beyond / others : 0;
    const bool upper =
        high < n_ && t_[high] < sparse_mean;  // the sparse weights' mean lies above the concentrated
    const size_t tail =
        upper ? seek(cut_[kTail], high, n_, sparse_mean) : seek(cut_[kTail], 0, low, sparse_mean);
    const double sparse_alpha =
        upper ? deviations(beyond, others, sum_[tail] - between, double(tail) - members, sparse_mean)
              : deviations(beyond, others, sum_[tail], double(tail), sparse_mean);

    move(kLow, low);
    move(kMiddle, middle);
    move(kHigh, high);
    move(kTail, tail);
    const double last = sparse_mean + sparse_alpha, beside = upper ? sparse_mean - sparse_alpha : last;
    const double height[kCuts] = {beside - (mean - alpha), -2 * alpha, mean + alpha - beside,
                                  -2 * sparse_alpha};
    double error = last * (last * own_[n_] - 2 * with_y_[n_]);
    for (size_t c = 0; c < kCuts; ++c) {
      double product = height[c] * own_[cut_[c]] + 2 * (last * with_all_[cut_[c]] - with_y_[cut_[c]]);
      for (size_t other = 0; other < c; ++other) product += 2 * height[other] * cross_[c][other];
      error += height[c] * product;
    }
    return gram_.unit * error;
  }

 private:
  enum Cut { kLow, kMiddle, kHigh, kTail, kCuts };

  // The first rank of [begin, end) whose value is not below the mean; `from` is a guess.
  size_t seek(size_t from, size_t begin, size_t end, double mean) const {
    size_t at = std::clamp(from, begin, end);
    while (at < end && t_[at] < mean) ++at;
    while (at > begin && t_[at - 1] >= mean) --at;
    return at;
  }
  // Mean |t - mean| of a group, given how many of it lie below its mean and their sum.
  static double deviations(double sum, double members, double sum_below, double below, double mean) {
    return members > 0 ? (sum - 2 * sum_below - mean * (members - 2 * below)) / members : 0;
  }
  void move(Cut cut, size_t to) {
    const auto add = [&](size_t rank, double sign) {
      for (size_t other = 0; other < kCuts; ++other) {
        if (other == cut) continue;
        const double product = sign * double(table_[cut_[other] * gram_.stride + column_[rank]]);
        cross_[cut][other] += product;
        cross_[other][cut] += product;
      }
    };
    for (; cut_[cut] < to; ++cut_[cut]) add(cut_[cut], 1);
    for (; cut_[cut] > to; --cut_[cut]) add(cut_[cut] - 1, -1);
  }

  const FixedGram& gram_;
  std::vector<double> t_;
  std::vector<double> sum_, with_y_, with_all_, own_;  // of e(i): t, S y, S e(n), S e(i)
  std::vector<int32_t> table_, chunk_;                 // S e(i) by column
  std::vector<uint32_t> column_;                       // of a rank
  size_t n_ = 0, low_ = 0, high_ = 0;
  size_t cut_[kCuts];
  double cross_[kCuts][kCuts];
};

}  // namespace

void calibrated_split_errors(const float* search, size_t rows, const CalibratedSplit& split, double* errors) {
  const size_t first = split.salient, n = split.columns - first;
  const auto tile = [](size_t columns) { return aligned_array<float>(columns * kTileRows); };
  const auto fitted = tile(split.columns), sorted = tile(n), column = tile(n);  // T less what is fitted
  arb_residual(search, first, split.iterations, fitted.get());
  const float* others = search + first * kTileRows;
  arb_split_residual(others, n, split.before, split.iterations, fitted.get() + first * kTileRows);
  sort_rows(others, n, sorted.get(), column.get());
  const size_t from = split.whole ? 0 : first;  // the columns whose S y is needed
  auto product = tile(split.columns);
  gram_product(split.gram + from, split.columns, fitted.get(), split.columns, split.columns - from,
               product.get() + from * kTileRows);
  const bool bounded = split.before.count > 0;
  const float bound = bounded ? split.before.at[split.before.count - 1] : 0;
  double whole = 0;
  std::optional<RisingCuts> rising;
  std::optional<SortedRow> row;
  auto sums = tile(n + 1);
  auto fixed = aligned_array<int32_t>(n * kTileRows);
  double unit[kTileRows];
  if (split.squared) {
    rising.emplace(split.others, split.thresholds, split.count);
    running_sums(sorted.get(), n, sums.get());
    fix_products(product.get() + first * kTileRows, n, fixed.get(), unit);
  } else {
    row.emplace(split.others);
  }
  for (size_t r = 0; r < rows; ++r) {
    size_t begin = 0, end = n;
    if (bounded) {
      while (begin < n && sorted[begin * kTileRows + r] <= -bound) ++begin;
      while (end > begin && sorted[(end - 1) * kTileRows + r] >= bound) --end;
    }
    const float *t = sorted.get() + begin * kTileRows + r, *columns = column.get() + begin * kTileRows + r;
    if (split.whole)
      for (size_t at = r; at < split.columns * kTileRows; at += kTileRows)
        whole += double(fitted[at]) * double(product[at]);
    if (rising) {
      rising->add(end - begin, {t, sums.get() + r, columns, fixed.get() + r, unit[r]});
      continue;
    }
    row->set(end - begin, t, columns, product.get() + first * kTileRows + r);
    for (size_t c = 0; c < split.count; ++c) errors[c] += row->error(split.thresholds[c]);
  }
  if (rising) rising->finish(errors);
  for (size_t c = 0; c < split.count; ++c) errors[c] += whole;
}

}  // namespace signum
