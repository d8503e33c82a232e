// signum-rc on one block (docs/METHODS.md, steps 1 to 4): signs and scales that minimize ||(Wb - Q)
// U_b^-1||^2.
#pragma once

#include <vector>

#include "methods/quantize.h"
#include "methods/signum_kernels.h"

namespace signum {

// Row scales are padded to whole panels; codes [panels][width][64], bit 0 first sign, bit 1 second.
struct SignumBlock {
  std::vector<float> row[2];
  std::vector<float> column[2];  // [width], [second]
  std::vector<uint8_t> codes;
  double cost = 0;  // ||E||^2
};

// block [rows, width]; r_block, u_block [width, width]; the first `second` columns have two planes.
SignumBlock fit_signum_block(const Recipe& recipe, ConstView block, ConstView r_block, ConstView u_block,
                             size_t second, ThreadPool& pool);

}  // namespace signum
