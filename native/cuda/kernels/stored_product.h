// y = W x of few tokens straight from a matrix as it is stored on the card, in F16, BF16 or F32.
#pragma once

#include "base/dtype.h"
#include "cuda/card.h"

namespace signum::cuda {

// A row-major matrix on the card without gaps.
struct StoredOnCard {
  DType dtype = DType::F32;  // F16, BF16 or F32
  const void* data = nullptr;
  size_t rows = 0, columns = 0;
};

// out [tokens, out_stride] = beta * out + x W^T, x [tokens, columns] without gaps; equal to the exact product
// within 1e-5 of sum |w x|. Up to 8 tokens are multiplied as the rows are read, which costs what reading
// them does; more go to Blas::times_stored(). beta 0: out is not read.
void multiply(Card& card, const StoredOnCard& matrix, const float* x, size_t tokens, float beta, float* out,
              size_t out_stride);

}  // namespace signum::cuda
