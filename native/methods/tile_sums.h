// Sums over the tiles of a block that do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <vector>

#include "base/pool.h"

namespace signum {

inline constexpr size_t kBandTiles = 4;  // tiles whose sums are added up by one task

// Sums task(tile, out[size]) over all tiles, band by band, in an order that depends on the shape only.
template <class Task>
std::vector<double> sum_over_tiles(size_t tiles, size_t size, ThreadPool& pool, const Task& task) {
  const size_t bands = (tiles + kBandTiles - 1) / kBandTiles;
  std::vector<std::vector<double>> partial(bands, std::vector<double>(size, 0.0));
  pool.parallel_for(bands, [&](size_t band) {
    for (size_t t = band * kBandTiles; t < std::min(tiles, (band + 1) * kBandTiles); ++t)
      task(t, partial[band].data());
  });
  std::vector<double> total(size, 0.0);
  for (const auto& part : partial)
    for (size_t i = 0; i < size; ++i) total[i] += part[i];
  return total;
}

inline size_t first_minimum(const std::vector<double>& errors, size_t begin) {
  size_t best = begin;
  for (size_t i = begin + 1; i < errors.size(); ++i)
    if (errors[i] < errors[best]) best = i;
  return best;
}

}  // namespace signum
