// ARB-X's score of a split of the columns that are not salient (docs/METHODS.md): trace(R S R^T), where R is
// what binarizing the searched matrix T leaves and S the inputs' Gram matrix of the block.
#pragma once

#include <cstddef>

#include "methods/fixed_gram.h"
#include "methods/splits.h"

namespace signum {

struct CalibratedSplit {
  size_t columns;
  size_t salient;           // the first columns of the tile; their part of R does not depend on the threshold
  int iterations;           // of their fit, two orders in one group
  const float* gram;        // S [columns][columns] in the tile's order
  const FixedGram& others;  // of the columns that are not salient
  const float* thresholds;  // ascending
  size_t count;
  Splits
      before;    // of passes before: only the last group of these is split, the others are fitted as they are
  bool squared;  // T >= 0
  bool whole;    // otherwise every error lacks the same sum over the rows
};

// search: tile of T [columns][16], of which the first `rows` rows exist. Adds to errors [count].
void calibrated_split_errors(const float* search, size_t rows, const CalibratedSplit& split, double* errors);

}  // namespace signum
