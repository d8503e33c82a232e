// The few BLAS and LAPACK routines in use, for float and double. Always called single-threaded: the pool does
// the threading.
#pragma once

#include <cstddef>

namespace signum::blas {

// C[m, n] = beta C + alpha op(A) op(B), row-major; transposed operands are stored [k, m] and [n, k].
void gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, float alpha, const float* a,
          size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc);
void gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, double alpha, const double* a,
          size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc);

// Lower triangle of C [n, n] += A A^T, A [n, k] row-major.
void gram_lower(size_t n, size_t k, const float* a, size_t lda, float* c, size_t ldc);

// Lower Cholesky factor in place (row-major, lower triangle read and written). False when not positive
// definite.
bool cholesky(size_t n, float* a, size_t lda);
bool cholesky(size_t n, double* a, size_t lda);

// Inverse of a lower triangular row-major matrix in place; the diagonal must be nonzero, the upper triangle
// is not touched.
void invert_lower(size_t n, float* a, size_t lda);
void invert_lower(size_t n, double* a, size_t lda);

// Inverse of an upper triangular row-major matrix in place; the diagonal must be nonzero.
void invert_upper(size_t n, double* a, size_t lda);

// Solves A x = b for symmetric positive definite A (lower triangle, destroyed); b becomes x. False when not
// positive definite.
bool solve_positive(size_t n, double* a, size_t lda, double* b);

// B <- B op(R)^-1: B [m, n] row-major, R [n, n] upper triangular with a nonzero diagonal.
void divide_upper(bool transposed, size_t m, size_t n, const float* r, size_t ldr, float* b, size_t ldb);

// Before any other call; products do it by themselves.
void use_one_thread();

}  // namespace signum::blas
