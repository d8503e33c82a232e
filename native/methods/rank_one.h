// Row times column scales fitted to a part of a block (ARB-RC, arXiv 2410.03129), one or two orders, one to
// four groups.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/splits.h"
#include "methods/tiles.h"

namespace signum {

class ThreadPool;

struct RankOneProblem {
  const Tiles* weight;  // [rows, width]
  const Tiles* search;  // T, same shape; unused with one group
  Splits splits;
  size_t first = 0;  // columns [first, first + columns) of the tiles
  size_t columns = 0;
  int order = 1;  // 1 or 2
  int iterations = 15;
  bool column_scales = true;         // false: column scales stay 1
  size_t second_columns = SIZE_MAX;  // order 2: only the first so many columns have a second order

  size_t groups() const { return splits.groups(); }
};

// Scales of order o and group g; rows are padded to whole tiles.
struct RankOneFit {
  std::vector<float> row_scale[2];     // [order]: [tiles][groups][16]
  std::vector<float> column_scale[2];  // [order]: [groups][columns]; 0 where a column has no member
  Tiles sign[2];  // order 2 only: [rows, columns] of -1, (0,) 1; order 1's sign is the weight's own
};

RankOneFit fit_rank_one(const RankOneProblem& problem, ThreadPool& pool);

}  // namespace signum
