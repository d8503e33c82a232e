#include "evaluate/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace signum {

Estimate estimate(std::span<const double> x) {
  Estimate result;
  for (const double value : x) result.value += value;
  const double n = double(x.size());
  result.value /= n;
  if (x.size() < 2) return result;
  double squares = 0;
  for (const double value : x) squares += (value - result.value) * (value - result.value);
  result.standard_error = std::sqrt(squares / (n * (n - 1)));
  return result;
}

Distribution distribution(std::span<const double> x) {
  Distribution result;
  result.mean = estimate(x);
  // Sorting has no place for what cannot be compared.
  if (std::ranges::any_of(x, [](double value) { return std::isnan(value); })) {
    result.minimum = result.maximum = std::numeric_limits<double>::quiet_NaN();
    result.percentiles.fill(result.minimum);
    return result;
  }
  std::vector<double> sorted(x.begin(), x.end());
  std::ranges::sort(sorted);
  result.minimum = sorted.front();
  result.maximum = sorted.back();
  for (size_t i = 0; i < kPercents.size(); ++i) {
    const double at = kPercents[i] / 100 * double(sorted.size() - 1);
    const size_t low = size_t(at), high = std::min(low + 1, sorted.size() - 1);
    result.percentiles[i] = sorted[low] + (sorted[high] - sorted[low]) * (at - double(low));
  }
  return result;
}

}  // namespace signum
