// Dense products on the card, in the order of its stream. Matrices are row-major, strides in elements.
#pragma once

#include <memory>
#include <string>

#include "base/dtype.h"
#include "cuda/math/gemm.h"
#include "cuda/runtime.h"

namespace signum::cuda {

class LibraryProducts;

// How products of F32 matrices are made.
//   F32: products and sums in F32.
//   Bf16x3: each operand as a sum of three BF16 numbers, the six largest of their products in turn, the small
//     ones first, sums in F32: F32's precision at the speed of tensor cores, where a library makes them.
//   Tf32: operands rounded to 10 bits. Only with a library; else F32.
// Batched products and thin ones (up to 8 rows) are F32 or Tf32. Weights stored as F16 or BF16 are taken as
// they are: with a library or Bf16x3, X is split into two F16 parts with a power of two for each row, or into
// three BF16 parts; else products are F32's.
// Measured against F64 on the emulated device, in units of sum |a b|, activations with outliers, k 64 to
// 2100: F32 1.3e-7 to 1.6e-7 (root mean square; largest 1.1e-6), Bf16x3 1.2e-7 to 1.6e-7 (1.1e-6), F16
// parts 1.5e-7 to 1.7e-7 (1.1e-6), three BF16 parts 1.4e-7 to 1.6e-7 (0.8e-6): what is left are the sums'
// roundings (tests/device/precision_test.cc). Tensor cores cut their sums off after every 8 or 16 products
// instead of rounding them, which is not part of that: at most 2^-23 of a sum each time.
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

// Room on the card beside the operands: with a library its workspace of 32 MiB; with parts, for stored
// weights 64 MiB or 128 rows of them, for Bf16x3 6 KiB for each row and column of a product.
class Blas {
 public:
  Blas(Device& device, BlasOptions options);
  // With products by this library, or by our own kernels where it is null.
  Blas(Device& device, Precision precision, std::unique_ptr<LibraryProducts> library);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  // Whether a library makes the products; else our own kernels do.
  bool has_library() const { return library_ != nullptr; }
  LibraryProducts* library() { return library_.get(); }
  // LibraryProducts::name(); empty: our own kernels.
  std::string library_name() const;
  // What is used, which need not be what was asked for; then `note` says why, in one sentence.
  Precision precision() const { return precision_; }
  const std::string& note() const { return note_; }

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
  void multiply_halves(const own::Product<float, uint16_t, uint16_t>& product);

  Device& device_;
  Precision precision_;
  std::string note_;
  std::unique_ptr<LibraryProducts> library_;
};

}  // namespace signum::cuda
