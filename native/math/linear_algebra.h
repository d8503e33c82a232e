// Dense F32 products. Work is cut into tiles by shape only, so results do not depend on the thread count.
#pragma once

#include "base/matrix.h"

namespace signum {

class ThreadPool;

// C = beta * C + alpha * A B            A [m, k], B [k, n], C [m, n]
void gemm(float alpha, ConstView a, ConstView b, float beta, View c, ThreadPool& pool);
// C = beta * C + alpha * A B^T          A [m, k], B [n, k], C [m, n]: activations times a linear's weights
// [outputs, inputs]
void gemm_transposed(float alpha, ConstView a, ConstView b, float beta, View c, ThreadPool& pool);
// C += alpha * X^T X, both triangles kept equal   X [tokens, n], C [n, n]
void add_gram(float alpha, ConstView x, View c, ThreadPool& pool);
// C += alpha * X^T Y                    X [tokens, m], Y [tokens, n], C [m, n]
void add_products(float alpha, ConstView x, ConstView y, View c, ThreadPool& pool);
// A <- A (R R^T)^-1                     A [m, n], R [n, n] upper triangular with a nonzero diagonal
void divide_by_factored(ConstView r, View a, ThreadPool& pool);

// Name of the BLAS kernel set in use (part of a run's fingerprint) and of the SIMD target of our own loops.
const char* blas_core_name();
const char* simd_target_name();

}  // namespace signum
