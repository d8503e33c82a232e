// Our own products: tiles in shared memory, every element one chain of fused products over k, rising; so its
// bits depend neither on the tile's size nor on where in C it lies.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda::own {

// T: of C and the sums (float, double). W: of B as stored, V: of A; uint16_t is F16 (half) or BF16.
template <class T, class W, class V = T>
struct Product {
  bool a_transposed = false, b_transposed = false, half = false, mirrored = false;
  size_t m = 0, n = 0, k = 0;
  T alpha = 1;
  const V* a = nullptr;
  size_t lda = 0;
  const W* b = nullptr;
  size_t ldb = 0;
  T beta = 0;
  T* c = nullptr;
  size_t ldc = 0;
  // Of batches.
  size_t count = 1, a_step = 0, b_step = 0, c_step = 0, b_shared = 1;
};

void multiply(Device& device, const Product<float, float>& product);
void multiply(Device& device, const Product<float, uint16_t>& product);
void multiply(Device& device, const Product<float, uint16_t, uint16_t>& product);
void multiply(Device& device, const Product<double, double>& product);
// C [n, n] += alpha op(A) op(A)^T by the tiles on and below the diagonal; op(A) [n, k], stored [k, n] where
// transposed. mirrored: the upper triangle gets what the lower one has; else nothing above the diagonal is
// touched.
void add_gram(Device& device, bool transposed, size_t n, size_t k, float alpha, const float* a, size_t lda,
              float* c, size_t ldc, bool mirrored);
void add_gram(Device& device, bool transposed, size_t n, size_t k, double alpha, const double* a, size_t lda,
              double* c, size_t ldc, bool mirrored);

// Products with few rows, 1 to kThinRows: a warp for each output, bound by reading B. B transposed, no
// batches.
inline constexpr size_t kThinRows = 8;
void multiply_thin(Device& device, const Product<float, float>& product);
void multiply_thin(Device& device, const Product<float, uint16_t>& product);

}  // namespace signum::cuda::own
