// How the weights of a linear are spread, before and after it is quantized.
#pragma once

#include <cstdint>
#include <vector>

#include "base/matrix.h"

namespace signum {

class ThreadPool;

// Bins of equal width from -range to range; what lies outside counts in the first or last one.
struct Histogram {
  double range = 0;
  std::vector<uint64_t> counts;
};

inline constexpr size_t kHistogramBins = 121;  // odd: 0 lies in the middle of one

// A quarter more than 99.9 % of the weights' sizes; 1 where those are 0. weight: finite.
double histogram_range(const Matrix& weight, ThreadPool& pool);
Histogram histogram(const Matrix& weight, double range, ThreadPool& pool);

// Every value in the row, ascending; where there are more than `most`, so many of them, evenly by rank, the
// first and the last included.
std::vector<float> levels_of_row(const Matrix& weight, size_t row, size_t most);

}  // namespace signum
