// math/blas.h without a BLAS: sums in F64, a row at a time. Right and slow; for machines on which only the
// card is measured (native/bench/gpu).
#include "math/blas.h"

#include <cmath>
#include <vector>

#include "math/linear_algebra.h"

namespace signum {

const char* blas_core_name() { return "plain"; }

namespace blas {
namespace {

template <class T>
void multiply(bool at, bool bt, size_t m, size_t n, size_t k, T alpha, const T* a, size_t lda, const T* b,
              size_t ldb, T beta, T* c, size_t ldc) {
  std::vector<double> sums(n);
  for (size_t i = 0; i < m; ++i) {
    const auto left = [&](size_t p) { return double(at ? a[p * lda + i] : a[i * lda + p]); };
    for (size_t j = 0; j < n; ++j) sums[j] = 0;
    if (bt) {
      for (size_t j = 0; j < n; ++j)
        for (size_t p = 0; p < k; ++p) sums[j] += left(p) * double(b[j * ldb + p]);
    } else {
      for (size_t p = 0; p < k; ++p) {
        const double by = left(p);
        for (size_t j = 0; j < n; ++j) sums[j] += by * double(b[p * ldb + j]);
      }
    }
    for (size_t j = 0; j < n; ++j) {
      T& to = c[i * ldc + j];
      to = T(double(alpha) * sums[j] + (beta == 0 ? 0.0 : double(beta) * double(to)));
    }
  }
}

// L in place, row after row.
template <class T>
bool factor(size_t n, T* a, size_t lda) {
  for (size_t i = 0; i < n; ++i) {
    T* row = a + i * lda;
    for (size_t j = 0; j <= i; ++j) {
      const T* other = a + j * lda;
      T sum = row[j];
      for (size_t k = 0; k < j; ++k) sum -= row[k] * other[k];
      if (j < i)
        row[j] = sum / other[j];
      else if (!(sum > 0))
        return false;
      else
        row[i] = std::sqrt(sum);
    }
  }
  return true;
}

// Row i of L^-1 = -(row i of L, left of the diagonal) (the rows of L^-1 above) / L[i, i].
template <class T>
void invert(size_t n, T* a, size_t lda) {
  std::vector<double> sums(n);
  for (size_t i = 0; i < n; ++i) {
    T* row = a + i * lda;
    for (size_t j = 0; j < i; ++j) sums[j] = 0;
    for (size_t k = 0; k < i; ++k)
      for (size_t j = 0; j <= k; ++j) sums[j] += double(row[k]) * double(a[k * lda + j]);
    const double own = 1 / double(row[i]);
    for (size_t j = 0; j < i; ++j) row[j] = T(-own * sums[j]);
    row[i] = T(own);
  }
}

}  // namespace

void gemm(bool at, bool bt, size_t m, size_t n, size_t k, float alpha, const float* a, size_t lda,
          const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  multiply(at, bt, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void gemm(bool at, bool bt, size_t m, size_t n, size_t k, double alpha, const double* a, size_t lda,
          const double* b, size_t ldb, double beta, double* c, size_t ldc) {
  multiply(at, bt, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void gram_lower(size_t n, size_t k, const float* a, size_t lda, float* c, size_t ldc) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (size_t p = 0; p < k; ++p) sum += double(a[i * lda + p]) * double(a[j * lda + p]);
      c[i * ldc + j] = float(double(c[i * ldc + j]) + sum);
    }
}

bool cholesky(size_t n, float* a, size_t lda) { return factor(n, a, lda); }
bool cholesky(size_t n, double* a, size_t lda) { return factor(n, a, lda); }

void invert_lower(size_t n, float* a, size_t lda) { invert(n, a, lda); }
void invert_lower(size_t n, double* a, size_t lda) { invert(n, a, lda); }

void invert_upper(size_t n, double* a, size_t lda) {
  std::vector<double> sums(n);
  for (size_t i = n; i-- > 0;) {
    double* row = a + i * lda;
    for (size_t j = i + 1; j < n; ++j) sums[j] = 0;
    for (size_t k = i + 1; k < n; ++k)
      for (size_t j = k; j < n; ++j) sums[j] += row[k] * a[k * lda + j];
    const double own = 1 / row[i];
    for (size_t j = i + 1; j < n; ++j) row[j] = -own * sums[j];
    row[i] = own;
  }
}

bool solve_positive(size_t n, double* a, size_t lda, double* b) {
  if (!cholesky(n, a, lda)) return false;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) b[i] -= a[i * lda + j] * b[j];
    b[i] /= a[i * lda + i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t j = i + 1; j < n; ++j) b[i] -= a[j * lda + i] * b[j];
    b[i] /= a[i * lda + i];
  }
  return true;
}

void divide_upper(bool transposed, size_t m, size_t n, const float* r, size_t ldr, float* b, size_t ldb) {
  std::vector<double> x(n);
  for (size_t i = 0; i < m; ++i) {
    float* row = b + i * ldb;
    for (size_t j = 0; j < n; ++j) x[j] = double(row[j]);
    if (transposed) {
      for (size_t j = n; j-- > 0;) {
        for (size_t k = j + 1; k < n; ++k) x[j] -= x[k] * double(r[j * ldr + k]);
        x[j] /= double(r[j * ldr + j]);
      }
    } else {
      for (size_t j = 0; j < n; ++j) {
        x[j] /= double(r[j * ldr + j]);
        for (size_t k = j + 1; k < n; ++k) x[k] -= x[j] * double(r[j * ldr + k]);
      }
    }
    for (size_t j = 0; j < n; ++j) row[j] = float(x[j]);
  }
}

void use_one_thread() {}

}  // namespace blas
}  // namespace signum
