// S in whole units: sums of its rows over any set of columns are exact in 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signum {

struct FixedGram {
  size_t columns = 0;
  size_t stride = 0;  // of a row and of a table's row; what is behind `columns` is 0
  double unit = 1;    // S = unit * value, to within half a unit: 2^-30 of the largest row's sum
  std::vector<int32_t> value;

  const int32_t* row(size_t i) const { return value.data() + i * stride; }
};

// gram [columns][stride], symmetric.
FixedGram fixed_gram(const float* gram, size_t columns, size_t stride);

// table [n + 1][gram.stride], row i = sum over k < i of row order[k] of S.
void indicator_products(const FixedGram& gram, const uint32_t* order, size_t n, int32_t* table);

}  // namespace signum
