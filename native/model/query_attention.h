// Attention of one query: no products of matrices, only rows as they lie.
#pragma once

#include <cstddef>

namespace signum {

// Rows of `dim` numbers, `stride` apart.
struct HeadRows {
  const float* data = nullptr;
  size_t stride = 0;
};

// out[j] = scale * (sum of q * row j), for j below count. q [dim]
void dot_rows(const float* q, const HeadRows& rows, size_t count, size_t dim, float scale, float* out);
// out [dim] = sum over j below count of weights[j] * row j.
void sum_rows(const float* weights, const HeadRows& rows, size_t count, size_t dim, float* out);

}  // namespace signum
