#include "math/blas.h"

#include <cblas.h>

#include "math/linear_algebra.h"

// LAPACK is column-major: a row-major lower triangle is its upper one.
extern "C" {
void spotrf_(const char*, const int*, float*, const int*, int*);
void dpotrf_(const char*, const int*, double*, const int*, int*);
void strtri_(const char*, const char*, const int*, float*, const int*, int*);
void dtrtri_(const char*, const char*, const int*, double*, const int*, int*);
}

namespace signum {

const char* blas_core_name() { return openblas_get_corename(); }

namespace blas {

void gemm(bool at, bool bt, size_t m, size_t n, size_t k, float alpha, const float* a, size_t lda,
          const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  use_one_thread();
  cblas_sgemm(CblasRowMajor, at ? CblasTrans : CblasNoTrans, bt ? CblasTrans : CblasNoTrans, int(m), int(n),
              int(k), alpha, a, int(lda), b, int(ldb), beta, c, int(ldc));
}
void gemm(bool at, bool bt, size_t m, size_t n, size_t k, double alpha, const double* a, size_t lda,
          const double* b, size_t ldb, double beta, double* c, size_t ldc) {
  cblas_dgemm(CblasRowMajor, at ? CblasTrans : CblasNoTrans, bt ? CblasTrans : CblasNoTrans, int(m), int(n),
              int(k), alpha, a, int(lda), b, int(ldb), beta, c, int(ldc));
}

void gram_lower(size_t n, size_t k, const float* a, size_t lda, float* c, size_t ldc) {
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, int(n), int(k), 1.0f, a, int(lda), 1.0f, c, int(ldc));
}

bool cholesky(size_t n, float* a, size_t lda) {
  use_one_thread();
  const int size = int(n), stride = int(lda);
  int info = 0;
  spotrf_("U", &size, a, &stride, &info);
  return info == 0;
}
bool cholesky(size_t n, double* a, size_t lda) {
  const int size = int(n), stride = int(lda);
  int info = 0;
  dpotrf_("U", &size, a, &stride, &info);
  return info == 0;
}

void invert_lower(size_t n, float* a, size_t lda) {
  const int size = int(n), stride = int(lda);
  int info = 0;
  strtri_("U", "N", &size, a, &stride, &info);
}
void invert_lower(size_t n, double* a, size_t lda) {
  const int size = int(n), stride = int(lda);
  int info = 0;
  dtrtri_("U", "N", &size, a, &stride, &info);
}

void invert_upper(size_t n, double* a, size_t lda) {
  use_one_thread();
  const int size = int(n), stride = int(lda);
  int info = 0;
  dtrtri_("L", "N", &size, a, &stride, &info);
}

bool solve_positive(size_t n, double* a, size_t lda, double* b) {
  if (!cholesky(n, a, lda)) return false;
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, int(n), a, int(lda), b, 1);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, int(n), a, int(lda), b, 1);
  return true;
}

void divide_upper(bool transposed, size_t m, size_t n, const float* r, size_t ldr, float* b, size_t ldb) {
  use_one_thread();
  cblas_strsm(CblasRowMajor, CblasRight, CblasUpper, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit,
              int(m), int(n), 1.0f, r, int(ldr), b, int(ldb));
}

void use_one_thread() {
  static const bool once = (openblas_set_num_threads(1), true);
  (void)once;
}

}  // namespace blas
}  // namespace signum
