// Dense products on the card, in the order of its stream. Matrices are row-major, strides in elements.
#pragma once

#include <string>

#include "base/dtype.h"
#include "cuda/runtime.h"

namespace signum::cuda {

// How F32 products are made. F32: every product and sum in F32, which is what our own kernels do whatever is
// asked for.
enum class Precision : uint8_t { F32, Bf16x3, Tf32 };

struct BlasOptions {
  std::string libraries;  // folder in which libraries are looked for first
  Precision precision = Precision::F32;
};

// Products of `count` matrices each, `step` elements apart; `b_shared` neighbours use the same B (heads that
// share keys and values).
struct Batch {
  size_t count = 1, a_step = 0, b_step = 0, c_step = 0;
  size_t b_shared = 1;
};

class Blas {
 public:
  Blas(Device& device, BlasOptions options);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  // Whether a library makes the products; else our own kernels do.
  bool has_library() const;

  // C[m, n] = beta C + alpha op(A) op(B); transposed operands are stored [k, m] and [n, k]. beta 0: C is not
  // read.
  void gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, float alpha, const float* a,
            size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc);
  void gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, double alpha, const double* a,
            size_t lda, const double* b, size_t ldb, double beta, double* c, size_t ldc);
  void gemm_batched(const Batch& batch, bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k,
                    float alpha, const float* a, size_t lda, const float* b, size_t ldb, float beta, float* c,
                    size_t ldc);
  // out[m, n] = beta out + X W^T: x [m, k] without gaps, w [n, k] as stored (F16, BF16, F32), out with rows
  // ldout apart.
  void times_stored(const float* x, size_t m, size_t k, const void* w, DType type, size_t n, float beta,
                    float* out, size_t ldout);
  // C += alpha X^T X, both triangles the same to the last bit. x [tokens, n], c [n, n]
  void add_gram(float alpha, DeviceView<const float> x, DeviceView<float> c);
  // C += alpha X^T Y. x [tokens, m], y [tokens, n], c [m, n]
  void add_products(float alpha, DeviceView<const float> x, DeviceView<const float> y, DeviceView<float> c);

  Device& device() { return device_; }

 private:
  Device& device_;
  BlasOptions options_;
};

}  // namespace signum::cuda
