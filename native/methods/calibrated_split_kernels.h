// The vector loops of calibrated_split.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signum {

// Every row of a tile [columns][16] ascending, with the column numbers that its values came from.
void sort_rows(const float* tile, size_t columns, float* sorted, float* column);

// table [n + 1][width], row i = sum over k < i of row order[k] of gram [width][stride], F64.
void indicator_products(const float* gram, size_t stride, const uint32_t* order, size_t n, size_t width,
                        double* table);

// product [n] = sum over j of y[j] times row j of gram [rows][stride], F64.
void gram_product(const float* gram, size_t stride, const double* y, size_t rows, size_t n, double* product);

}  // namespace signum
