// Triangular matrices on the card: the Cholesky factor, inverses of diagonal blocks, division by R R^T.
#pragma once

#include "cuda/card.h"
#include "cuda/matrix.h"

namespace signum::cuda {

// Inverses of the diagonal blocks of R [n, n], upper triangular with a nonzero diagonal, all at once:
// u [n, blocksize] takes U_b of the block that begins at row s in its rows [s, s + width), zeros below the
// diagonal and after the last block's width. blocksize: at least 1. Made in F64 and rounded, as on the CPU,
// up to own::kInverse columns; wider blocks are joined from such ones in F32.
void invert_upper_blocks(Card& card, DeviceView<const float> r, size_t blocksize, DeviceView<float> u);

// A <- A (R R^T)^-1. r [n, n] upper triangular with a nonzero diagonal, a [m, n]
void divide_by_factored(Card& card, DeviceView<const float> r, DeviceView<float> a);

// Lower Cholesky factor of a [n, n] in place; only the lower triangle is read, what stands above it is
// overwritten. Not positive definite: NaN on the diagonal.
void cholesky(Card& card, size_t n, float* a, size_t lda);
void cholesky(Card& card, size_t n, double* a, size_t lda);

}  // namespace signum::cuda
