// The masks of one block: which columns are salient and where the groups split (docs/METHODS.md, billm
// and arb).
#pragma once

#include <vector>

#include "methods/quantize.h"
#include "methods/splits.h"
#include "methods/tiles.h"

namespace signum {

struct BlockMasks {
  std::vector<uint32_t>
      order;  // columns of the block; the first `salient` are the salient ones, each part ascending
  size_t salient = 0;
  Splits splits;          // of the columns that are not salient
  Splits salient_splits;  // of the salient ones; none without a column-group bitmap
  Tiles weight;           // compensated weights, columns in `order`
  Tiles search;           // T, or the weights with search_space weights; columns in `order`
  Matrix gram;            // arb-x: S [width, width], columns in `order`
};

// block [rows, width] compensated weights; r_block its part of R (1 / U_jj on the diagonal); h_block its part
// of the undamped H, used by arb-x only.
BlockMasks search_masks(const Recipe& recipe, ConstView block, ConstView r_block, const Matrix* h_block,
                        ThreadPool& pool);

}  // namespace signum
