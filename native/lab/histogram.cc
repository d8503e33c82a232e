#include "lab/histogram.h"

#include <algorithm>
#include <array>

#include "base/pool.h"
#include "math/quantiles.h"

namespace signum {

double histogram_range(const Matrix& weight, ThreadPool& pool) {
  const std::array<std::span<const float>, 1> all = {std::span(weight.data(), weight.size())};
  const std::array<double, 1> most = {0.999};
  const double size = absolute_quantiles(all, 0, most, pool)[0];
  return size > 0 ? 1.25 * size : 1;
}

Histogram histogram(const Matrix& weight, double range, ThreadPool& pool) {
  constexpr size_t kRows = 64;  // of a task
  const size_t tasks = (weight.rows() + kRows - 1) / kRows;
  std::vector<std::array<uint64_t, kHistogramBins>> parts(tasks);
  const double scale = double(kHistogramBins) / (2 * range);
  pool.parallel_for(tasks, [&](size_t task) {
    auto& counts = parts[task];
    counts.fill(0);
    const size_t first = task * kRows, end = std::min(weight.rows(), first + kRows);
    for (const float* at = weight.row(first); at != weight.row(first) + (end - first) * weight.columns();
         ++at) {
      const double place = (double(*at) + range) * scale;
      ++counts[size_t(std::clamp(place, 0.0, double(kHistogramBins - 1)))];
    }
  });
  Histogram whole{.range = range, .counts = std::vector<uint64_t>(kHistogramBins)};
  for (const auto& part : parts)
    for (size_t bin = 0; bin < kHistogramBins; ++bin) whole.counts[bin] += part[bin];
  return whole;
}

std::vector<float> levels_of_row(const Matrix& weight, size_t row, size_t most) {
  std::vector<float> values(weight.row(row), weight.row(row) + weight.columns());
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  if (values.size() <= most) return values;
  std::vector<float> some;
  for (size_t i = 0; i < most; ++i) some.push_back(values[i * (values.size() - 1) / (most - 1)]);
  return some;
}

}  // namespace signum
