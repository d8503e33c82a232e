// S in whole units: sums of its rows over any set of columns are exact in 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/matrix.h"

namespace signum {

struct FixedGram {
  size_t columns = 0;
  size_t stride = 0;  // of a row, whole chunks; what is behind `columns` is 0
  double unit = 1;    // S = unit * value, to within half a unit: 2^-30 of the largest row's sum
  std::unique_ptr<int32_t[], AlignedFree> value;

  const int32_t* row(size_t i) const { return value.get() + i * stride; }
};

// gram [columns][stride], symmetric.
FixedGram fixed_gram(const float* gram, size_t columns, size_t stride);

// Columns [begin, begin + kGramChunk) of the sums over the first rows of an order: table [n + 1][kGramChunk],
// row i = sum over k < i of row order[k] of S. A chunk stays in the first-level cache.
inline constexpr size_t kGramChunk = 32;
void indicator_products(const FixedGram& gram, const uint32_t* order, size_t n, size_t begin, int32_t* table);

}  // namespace signum
