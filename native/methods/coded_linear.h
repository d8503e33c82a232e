// The tensors of rtn and gptq while they are filled: codes, steps and, unless all are the same, zeros.
#pragma once

#include "methods/grid.h"
#include "methods/stored.h"

namespace signum {

class CodedLinear {
 public:
  // Fills in the layout; of the recipe: method, bits, group, symmetric, scale_type.
  CodedLinear(const Recipe& recipe, size_t rows, size_t columns);

  size_t group() const { return linear_.layout.group; }  // columns, at most those of the linear
  size_t groups() const { return groups_; }

  // Different rows may be written by different threads.
  // Grids of rows [row, row + rows) in group g.
  void put_grids(size_t row, size_t rows, size_t g, const TileGrids& grids);
  // codes [width][16], as floats: rows [row, row + rows), columns [column, column + width).
  void put_codes(size_t row, size_t rows, size_t column, size_t width, const float* codes);

  PackedLinear take();

 private:
  PackedLinear linear_;
  size_t groups_ = 0, row_bytes_ = 0;
  PackedTensor code_, zero_;
  ScalarTensor scale_;
};

}  // namespace signum
