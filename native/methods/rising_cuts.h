// ARB-X's scores of all splits of a row T >= 0 at once (docs/METHODS.md).
//
// Sorted, what a candidate makes of the row is a step function of the rank: with e(i) = the indicator of the
// first i weights,
//   q = sum over cuts of height * e(cut), the last of them at the row's end,
// and with y = T less the salient columns' fit its error is, but for y^T S y,
//   sum height (height e(cut)^T S e(cut) + 2 sum over others of height' e(cut)^T S e(cut') - 2 e(cut)^T S y).
// Where T >= 0 all cuts move up with the threshold: that between the groups, and the means inside both. So
// the products of two cuts are sums over the weights that one of them passes, each taken where the other cut
// is at that time: a table of S e(i), and two numbers of it a weight and cut. S in whole units, so that sums
// are exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "methods/fixed_gram.h"
#include "methods/rising_cuts_kernels.h"

namespace signum {

class RisingCuts {
 public:
  // width: columns that are not salient. thresholds: ascending.
  RisingCuts(const FixedGram& gram, const float* thresholds, size_t count);

  // The row of T to be split: n weights, ascending.
  struct Row {
    const float* sorted;     // [n][16] at the row's lane
    const float* sum;        // [n + 1][16]: of the first weights
    const float* column;     // [n][16]: where they are
    const int32_t* product;  // [columns][16]: S y in whole units
    double product_unit;
  };
  void add(size_t n, const Row& row);
  // Adds the errors of all rows so far to errors [count].
  void finish(double* errors) const;

 private:
  template <class T>
  using Array = std::unique_ptr<T[], AlignedFree>;
  void load(const Row& row);
  void place_cuts(double product_unit);
  void add_columns(size_t begin, const int32_t* product);

  const FixedGram& gram_;
  size_t count_, padded_, n_ = 0;
  std::vector<float> thresholds_, t_, sum_, heights_;  // heights_ [cuts and the last value][padded]
  std::vector<uint32_t> column_, rank_of_;             // of a rank; of a column, n where it is not split
  std::vector<uint32_t> first_[kCuts], rank_[kCuts];
  std::vector<int32_t> found_;  // ranks of the cuts before they are made to rise
  std::vector<uint32_t>
      place_[kCuts];  // of a cut, before the first candidate and with each: its row of table_
  Array<int32_t> table_, added_[kCuts];  // S e(i), a chunk of columns; by rank, what passing it adds
  Array<int64_t> sums_[kCuts];
  Array<double> factors_, errors_;
};

}  // namespace signum
