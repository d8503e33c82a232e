// The vector loops of calibrated_split.cc.
#pragma once

#include <cstddef>

namespace signum {

// Every row of a tile [columns][16] ascending, with the column numbers that its values came from.
void sort_rows(const float* tile, size_t columns, float* sorted, float* column);

// product [n][16] = the first n columns of S times y [rows][16]; gram [rows][stride].
void gram_product(const float* gram, size_t stride, const float* y, size_t rows, size_t n, float* product);

}  // namespace signum
