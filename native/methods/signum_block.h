// signum-rc on one block (docs/METHODS.md, steps 1 to 4): signs and scales that minimize ||(Wb - Q)
// U_b^-1||^2.
#pragma once

#include <array>
#include <vector>

#include "methods/quantize.h"
#include "methods/signum_kernels.h"

namespace signum {

// Row scales are padded to whole panels; codes [panels][width][64], bit k: sign of plane k.
struct SignumBlock {
  std::vector<float> row[kPlanes];
  std::vector<float> column[kPlanes];  // [columns of the plane]
  std::vector<uint8_t> codes;
  double cost = 0;  // ||E||^2
};

// How many columns of a block have a plane: the first ones, fewer with every plane.
using PlaneColumns = std::array<size_t, kPlanes>;

// block [rows, width]; r_block, u_block [width, width]; columns[0] = width.
SignumBlock fit_signum_block(const Recipe& recipe, ConstView block, ConstView r_block, ConstView u_block,
                             const PlaneColumns& columns, ThreadPool& pool);

}  // namespace signum
