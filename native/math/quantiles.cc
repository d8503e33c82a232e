#include "math/quantiles.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <mutex>

#include "base/pool.h"

namespace signum {
namespace {

// Magnitudes of F32 order as their bits do; the upper 17 of 31 bits choose a bin, 512 bins to a factor of
// two, counted down from the largest value. What is smaller than it by more than 2^31 shares the last bin.
constexpr size_t kBins = 16384;
constexpr uint32_t kBinShift = 14;
uint32_t magnitude_bits(float x) { return std::bit_cast<uint32_t>(x) & 0x7FFFFFFF; }

struct Binning {
  uint32_t lowest;  // upper bits of bin 0
  size_t operator()(float x) const {
    const uint32_t upper = magnitude_bits(x) >> kBinShift;
    return upper > lowest ? upper - lowest : 0;
  }
};

Binning binning(std::span<const std::span<const float>> parts, ThreadPool& pool) {
  std::vector<uint32_t> largest(parts.size());
  pool.parallel_for(parts.size(), [&](size_t p) {
    uint32_t most = 0;
    for (const float x : parts[p]) most = std::max(most, magnitude_bits(x));
    largest[p] = most;
  });
  uint32_t most = 0;
  for (const uint32_t m : largest) most = std::max(most, m >> kBinShift);
  return {most >= kBins ? most - uint32_t(kBins) + 1 : 0};
}

// Values of the given ascending ranks. Integer counts only, so the result does not depend on the order of
// work.
std::vector<float> order_statistics(std::span<const std::span<const float>> parts, size_t zeros,
                                    const std::vector<size_t>& ranks, ThreadPool& pool) {
  const Binning bin = binning(parts, pool);
  std::vector<uint32_t> histogram(kBins);
  std::mutex merge;
  const size_t jobs = std::min<size_t>(parts.size(), pool.threads());
  pool.parallel_for(jobs, [&](size_t job) {
    std::vector<uint32_t> local(kBins);
    for (size_t p = job; p < parts.size(); p += jobs)
      for (const float x : parts[p]) ++local[bin(x)];
    const std::lock_guard lock(merge);
    for (size_t b = 0; b < kBins; ++b) histogram[b] += local[b];
  });
  histogram[0] += uint32_t(zeros);

  // Bins that hold a wanted rank, and how many values lie before each of them.
  std::vector<int32_t> slot(kBins, -1);
  std::vector<size_t> before;
  std::vector<std::vector<float>> values;
  size_t seen = 0, next = 0;
  for (size_t b = 0; b < kBins && next < ranks.size(); ++b) {
    const size_t end = seen + histogram[b];
    if (ranks[next] < end) {
      slot[b] = int32_t(values.size());
      before.push_back(seen);
      values.emplace_back();
      while (next < ranks.size() && ranks[next] < end) ++next;
    }
    seen = end;
  }
  pool.parallel_for(jobs, [&](size_t job) {
    std::vector<std::vector<float>> local(values.size());
    for (size_t p = job; p < parts.size(); p += jobs)
      for (const float x : parts[p])
        if (const int32_t s = slot[bin(x)]; s >= 0) local[size_t(s)].push_back(std::fabs(x));
    const std::lock_guard lock(merge);
    for (size_t s = 0; s < values.size(); ++s)
      values[s].insert(values[s].end(), local[s].begin(), local[s].end());
  });
  if (slot[0] >= 0) values[size_t(slot[0])].insert(values[size_t(slot[0])].end(), zeros, 0.0f);
  std::vector<float> out(ranks.size());
  pool.parallel_for(values.size(), [&](size_t s) {
    auto from = values[s].begin();  // everything before it is smaller
    for (size_t i = 0; i < ranks.size(); ++i) {
      if (ranks[i] < before[s] || ranks[i] >= before[s] + values[s].size()) continue;
      const auto place = values[s].begin() + long(ranks[i] - before[s]);
      std::nth_element(from, place, values[s].end());
      out[i] = *place;
      from = place;
    }
  });
  return out;
}

}  // namespace

std::vector<float> absolute_quantiles(std::span<const std::span<const float>> parts, size_t zeros,
                                      std::span<const double> probabilities, ThreadPool& pool) {
  size_t count = zeros;
  for (const auto& part : parts) count += part.size();
  if (count == 0) return std::vector<float>(probabilities.size(), 0.0f);
  std::vector<size_t> ranks;
  for (const double p : probabilities) {
    const size_t low = size_t(p * double(count - 1));
    ranks.push_back(low);
    ranks.push_back(std::min(low + 1, count - 1));
  }
  std::vector<size_t> sorted = ranks;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const std::vector<float> found = order_statistics(parts, zeros, sorted, pool);
  const auto value = [&](size_t rank) {
    return double(found[size_t(std::lower_bound(sorted.begin(), sorted.end(), rank) - sorted.begin())]);
  };
  std::vector<float> out;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const double at = probabilities[i] * double(count - 1), share = at - double(ranks[2 * i]);
    const double a = value(ranks[2 * i]), b = value(ranks[2 * i + 1]);
    out.push_back(float(share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share)));
  }
  return out;
}

}  // namespace signum
