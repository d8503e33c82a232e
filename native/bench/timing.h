// Clock, medians and memory of the benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace signum::bench {

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Seconds of one call.
template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void reset_peak_memory();
double peak_memory_mb();  // highest resident size since then

}  // namespace signum::bench
