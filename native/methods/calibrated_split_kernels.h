// The vector loops of calibrated_split.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signum {

// Every row of a tile [columns][16] ascending, with the column numbers that its values came from.
void sort_rows(const float* tile, size_t columns, float* sorted, float* column);

// sum [n + 1][16]: of the first weights of every row.
void running_sums(const float* sorted, size_t n, float* sum);

// product [n][16] = the first n columns of S times y [rows][16]; gram [rows][stride].
void gram_product(const float* gram, size_t stride, const float* y, size_t rows, size_t n, float* product);

// product [n][16] in whole units, a power of two for every row: value [n][16], unit [16].
void fix_products(const float* product, size_t n, int32_t* value, double* unit);

}  // namespace signum
