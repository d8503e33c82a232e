// The methods that are measured, with what is known of each: the published programs' seconds and the floor.
#pragma once

#include <vector>

#include "methods/quantize.h"

namespace signum::bench {

struct Row {
  const char* name;
  Recipe recipe;
  // Median seconds of the published programs (PyTorch, two cores at about 200 GFLOP/s) at 512, 1024, 2048; 0
  // = not measured.
  double published[3];

  double published_at(size_t rows, size_t columns) const;
};

std::vector<Row> method_rows();

// Floating-point operations that no ordering of the work avoids: factor n^3/3, compensation m n^2 (and m n b
// inside blocks where errors are propagated column by column), the small products of each method, and the
// errors of the clipping search's grids. 0 where there is nothing of this kind.
double floor_operations(const Recipe& recipe, double rows, double columns);

}  // namespace signum::bench
