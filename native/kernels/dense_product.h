// y = W x straight from a matrix as it is stored, in F16, BF16 or F32: no F32 copy of it is ever made.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"
#include "base/matrix.h"

namespace signum {

class ThreadPool;

// A row-major matrix in somebody's memory, a mapped file for one, at any alignment.
struct StoredMatrix {
  DType dtype = DType::F32;  // F16, BF16 or F32
  const uint8_t* data = nullptr;
  size_t rows = 0;
  size_t columns = 0;

  const uint8_t* row(size_t r) const { return data + r * columns * dtype_bytes(dtype); }
};

// out [tokens, rows] = beta * out + x W^T, x [tokens, columns], F32; equal to the exact product within 1e-5
// of sum |w x|. A few tokens are multiplied as the rows are read; for more, a band of rows at a time is
// converted. The result does not depend on the pool's size.
void multiply(const StoredMatrix& matrix, ConstView x, float beta, View out, ThreadPool& pool);

}  // namespace signum
