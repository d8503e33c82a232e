// Which weights PB-LLM keeps at more bits (arXiv 2310.00034, section 3.2): the most salient ones of every
// group of columns, over all rows together.
#pragma once

#include <cstdint>
#include <vector>

#include "base/matrix.h"

namespace signum {

class ThreadPool;

// How many of a group's weights are salient, at least one: the published program binarizes those up to
// sorted[int(weights * (1 - share))].
size_t salient_of_group(size_t weights, double share);
// Of all groups of `group` columns of a linear.
size_t salient_of_linear(size_t rows, size_t columns, size_t group, double share);

struct SalientWeights {
  std::vector<uint16_t> tiles;  // [ceil(rows / 16)][columns]: bit r = row r of the tile
  std::vector<uint32_t> rows;   // how many each row has

  const uint16_t* tile(size_t t, size_t columns) const { return tiles.data() + t * columns; }
};

// Those with the largest |w| column_weight[column] of each group, ties to the lower row, then column.
// Whatever order T = W^2 / U_jj^2 has, |W| / U_jj = |W| R_jj has too.
SalientWeights find_salient(ConstView weight, const std::vector<float>& column_weight, size_t group,
                            double share, ThreadPool& pool);

}  // namespace signum
