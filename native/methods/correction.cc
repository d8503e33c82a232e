#include "methods/correction.h"

#include "base/pool.h"
#include "math/linear_algebra.h"

namespace signum {

Matrix corrected(const Matrix& weight, const Matrix& cross, const Matrix& residual, double share,
                 const Factor& factor, ThreadPool& pool) {
  const size_t n = weight.columns();
  Matrix wanted = residual.size() > 0 ? residual.clone() : Matrix(weight.rows(), n);
  gemm(1.0f, weight.view(), cross.view(), 1.0f, wanted.view(), pool);
  const auto place = [&](size_t j) { return factor.order ? (*factor.order)[j] : j; };
  Matrix change = Matrix::uninitialized(weight.rows(), n);  // in stored order
  pool.parallel_for(weight.rows(), [&](size_t r) {
    for (size_t j = 0; j < n; ++j) change(r, j) = wanted(r, place(j));
  });
  divide_by_factored(factor.r.view(), change.view(), pool);
  pool.parallel_for(weight.rows(), [&](size_t r) {
    for (size_t j = 0; j < n; ++j) wanted(r, place(j)) = weight(r, place(j)) + float(share) * change(r, j);
  });
  return wanted;
}

}  // namespace signum
