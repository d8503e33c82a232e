// Loops over rows between the products, cut into tasks by shape only.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/pool.h"

namespace signum {

// Calls row(i) for all rows, in bands.
template <class Row>
void for_rows(size_t rows, ThreadPool& pool, const Row& row) {
  constexpr size_t kBandRows = 16;
  pool.parallel_for((rows + kBandRows - 1) / kBandRows, [&](size_t band) {
    for (size_t i = band * kBandRows; i < std::min(rows, (band + 1) * kBandRows); ++i) row(i);
  });
}

}  // namespace signum
