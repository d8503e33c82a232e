// The kernels that math/triangular.h is made of: tiles of at most kTriangle, inverses of
// at most kInverse.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda::own {

inline constexpr size_t kTriangle = 64;
inline constexpr size_t kInverse = 256;

// a [n, n], n <= kTriangle: its lower Cholesky factor; above the diagonal nothing is touched. Not positive
// definite: NaN from that element of the diagonal on.
template <class T>
void factor_tile(Device& device, size_t n, T* a, size_t lda);

// B <- B L^-T: l [n, n] lower triangular, n <= kTriangle, b [m, n].
template <class T>
void divide_by_tile(Device& device, size_t m, size_t n, const T* l, size_t ldl, T* b, size_t ldb);

// Inverses of upper triangular tiles, made in F64: those of r [n, n] that begin at 0, kInverse, 2 kInverse,
// ... of each diagonal block of blocksize, into the same places of u [n, blocksize]; the rest of u is zeroed.
void invert_tiles(Device& device, DeviceView<const float> r, size_t blocksize, DeviceView<float> u);

// NaN on the diagonal where a library says that the factor failed: at *info - 1, or at 0 where *info is below
// 0.
template <class T>
void mark_failed(Device& device, const int* info, T* a, size_t lda);

}  // namespace signum::cuda::own
