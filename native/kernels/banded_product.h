// Products of many tokens with a matrix that is not F32: a band of its rows at a time is converted, and
// multiplied before the next.
#pragma once

#include <cstddef>
#include <functional>

#include "base/matrix.h"

namespace signum {
class ThreadPool;
}

namespace signum::kernels {

// Writes rows [first, first + count), each as wide as x; called by several threads.
using RowFiller = std::function<void(size_t first, size_t count, float* out)>;

// out [tokens, rows] = beta * out + x W^T, x [tokens, columns]. The calling thread keeps the band's memory, 8
// MB or 256 rows.
void multiply_in_bands(const RowFiller& fill, ConstView x, float beta, View out, ThreadPool& pool);

}  // namespace signum::kernels
