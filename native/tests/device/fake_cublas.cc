// cuBLAS and cuSOLVER as far as they are used, on the emulated device's memory and in its streams:
// column-major and slow, by their documentation, and strict about what they are given.
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "base/half.h"
#include "cuda/math/cublas.h"
#include "emulated/streams.h"

namespace cublas = signum::cuda::cublas;

namespace {

using Stream = signum::emulated::Queue;

struct State {
  Stream* stream = nullptr;
  bool workspace = false, math = false, atomics = false;
  bool ready() const { return stream && workspace && math && atomics; }
};
State state;
struct SolverState {
  Stream* stream = nullptr;
};
SolverState solver_state;

double element(const void* data, int type, size_t at) {
  switch (type) {
    case cublas::kF32:
      return static_cast<const float*>(data)[at];
    case cublas::kF64:
      return static_cast<const double*>(data)[at];
    case cublas::kF16:
      return signum::half_to_float(static_cast<const uint16_t*>(data)[at]);
    default:
      return signum::bfloat_to_float(static_cast<const uint16_t*>(data)[at]);
  }
}

// C[m, n] = alpha op(A) op(B) + beta C, all column-major.
template <class T>
void multiply(int op_a, int op_b, int m, int n, int k, T alpha, const void* a, int a_type, size_t a_at,
              int lda, const void* b, int b_type, size_t b_at, int ldb, T beta, T* c, int ldc) {
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < m; ++i) {
      double sum = 0;
      for (int l = 0; l < k; ++l)
        sum += element(a, a_type, a_at + (op_a ? size_t(i) * lda + l : size_t(l) * lda + i)) *
               element(b, b_type, b_at + (op_b ? size_t(l) * ldb + j : size_t(j) * ldb + l));
      T* at = c + size_t(j) * ldc + i;
      *at = T(double(alpha) * sum + (beta == 0 ? 0 : double(beta) * double(*at)));
    }
}

template <class T>
void factor(int n, T* a, int lda, int* info) {
  *info = 0;
  for (int j = 0; j < n; ++j)  // A = U^T U
    for (int i = 0; i <= j; ++i) {
      double sum = double(a[size_t(j) * lda + i]);
      for (int l = 0; l < i; ++l) sum -= double(a[size_t(i) * lda + l]) * double(a[size_t(j) * lda + l]);
      if (i < j) {
        a[size_t(j) * lda + i] = T(sum / double(a[size_t(i) * lda + i]));
        continue;
      }
      if (!(sum > 0)) {
        *info = j + 1;
        return;
      }
      a[size_t(j) * lda + j] = T(std::sqrt(sum));
    }
}

template <class T>
int factor_later(SolverState* s, int fill, int n, T* a, int lda, T* room, int size, int* info) {
  if (!s->stream || fill != cublas::kUpper) return 3;
  s->stream->put([=] {
    for (int i = 0; i < size; ++i) room[i] = 0;
    factor(n, a, lda, info);
  });
  return 0;
}

int version(int which, int* value, int major) {
  *value = which == 0 ? major : 0;
  return 0;
}

}  // namespace

extern "C" {

int cublasGetProperty(int which, int* value) { return version(which, value, 13); }
int cusolverGetProperty(int which, int* value) { return version(which, value, 12); }

int cublasCreate_v2(State** handle) {
  *handle = &state;
  state = {};
  return 0;
}
int cublasDestroy_v2(State*) { return 0; }
int cublasSetStream_v2(State* s, Stream* stream) {
  s->stream = stream;
  s->workspace = false;  // as cuBLAS does
  return 0;
}
int cublasSetWorkspace_v2(State* s, void* room, size_t) {
  s->workspace = reinterpret_cast<size_t>(room) % 256 == 0;
  return s->workspace ? 0 : 7;
}
int cublasSetMathMode(State* s, int mode) {
  s->math = mode == 16;
  return 0;
}
int cublasSetAtomicsMode(State* s, int mode) {
  s->atomics = mode == 0;
  return 0;
}

int cublasGemmStridedBatchedEx(State* s, int op_a, int op_b, int m, int n, int k, const void* alpha,
                               const void* a, int a_type, int lda, long long a_step, const void* b,
                               int b_type, int ldb, long long b_step, const void* beta, void* c, int c_type,
                               int ldc, long long c_step, int count, int compute, int) {
  if (std::getenv("SIGNUM_FAKE_CUBLAS_FAILS")) return 8;  // CUBLAS_STATUS_ARCH_MISMATCH
  const bool f64 = compute == cublas::kComputeF64;
  const bool halves = a_type == cublas::kF16 || a_type == cublas::kBF16;
  if (!s->ready() || a_type != b_type || c_type != (f64 ? cublas::kF64 : cublas::kF32)) return 7;
  if (f64 ? a_type != cublas::kF64 : !halves && a_type != cublas::kF32) return 7;
  if (!f64 && compute != cublas::kComputeF32 && (halves || compute != cublas::kComputeTf32)) return 7;
  if (lda < (op_a ? k : m) || ldb < (op_b ? n : k) || ldc < m) return 7;
  const auto batch = [=](auto alpha, auto beta, auto* c) {
    for (long long i = 0; i < count; ++i)
      multiply(op_a, op_b, m, n, k, alpha, a, a_type, size_t(i * a_step), lda, b, b_type, size_t(i * b_step),
               ldb, beta, c + i * c_step, ldc);
  };
  if (f64)
    s->stream->put(
        [=, factor = *static_cast<const double*>(alpha), keep = *static_cast<const double*>(beta)] {
          batch(factor, keep, static_cast<double*>(c));
        });
  else
    s->stream->put([=, factor = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta)] {
      batch(factor, keep, static_cast<float*>(c));
    });
  return 0;
}
int cublasGemmEx(State* s, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a,
                 int a_type, int lda, const void* b, int b_type, int ldb, const void* beta, void* c,
                 int c_type, int ldc, int compute, int algorithm) {
  return cublasGemmStridedBatchedEx(s, op_a, op_b, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0, beta,
                                    c, c_type, ldc, 0, 1, compute, algorithm);
}
// C[n, n] = alpha op(A) op(A)^T + beta C in one triangle.
int cublasSsyrk_v2(State* s, int fill, int op, int n, int k, const float* alpha, const float* a, int lda,
                   const float* beta, float* c, int ldc) {
  if (!s->ready() || lda < (op ? k : n) || ldc < n) return 7;
  s->stream->put([=, alpha = *alpha, beta = *beta] {
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        if (fill == cublas::kUpper ? i > j : i < j) continue;
        double sum = 0;
        for (int l = 0; l < k; ++l)
          sum += double(a[op ? size_t(i) * lda + l : size_t(l) * lda + i]) *
                 double(a[op ? size_t(j) * lda + l : size_t(l) * lda + j]);
        float* at = c + size_t(j) * ldc + i;
        *at = float(double(alpha) * sum + double(beta) * double(*at));
      }
  });
  return 0;
}

int cusolverDnCreate(SolverState** handle) {
  *handle = &solver_state;
  solver_state = {};
  return 0;
}
int cusolverDnDestroy(SolverState*) { return 0; }
int cusolverDnSetStream(SolverState* s, Stream* stream) {
  s->stream = stream;
  return 0;
}
int cusolverDnSpotrf_bufferSize(SolverState*, int, int n, float*, int, int* size) {
  *size = n;
  return 0;
}
int cusolverDnDpotrf_bufferSize(SolverState*, int, int n, double*, int, int* size) {
  *size = n;
  return 0;
}
int cusolverDnSpotrf(SolverState* s, int fill, int n, float* a, int lda, float* room, int size, int* info) {
  return factor_later(s, fill, n, a, lda, room, size, info);
}
int cusolverDnDpotrf(SolverState* s, int fill, int n, double* a, int lda, double* room, int size, int* info) {
  return factor_later(s, fill, n, a, lda, room, size, info);
}
}
