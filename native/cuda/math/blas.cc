#include "cuda/math/blas.h"

#include <algorithm>

#include "cuda/math/library_products.h"
#include "cuda/math/planes.h"
#include "cuda/math/split_products.h"

namespace signum::cuda {
namespace {

template <class T, class W>
own::Product<T, W> product_of(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, T alpha,
                              const T* a, size_t lda, const W* b, size_t ldb, T beta, T* c, size_t ldc) {
  own::Product<T, W> p;
  p.a_transposed = a_transposed;
  p.b_transposed = b_transposed;
  p.m = m;
  p.n = n;
  p.k = k;
  p.alpha = alpha;
  p.a = a;
  p.lda = lda;
  p.b = b;
  p.ldb = ldb;
  p.beta = beta;
  p.c = c;
  p.ldc = ldc;
  return p;
}

constexpr size_t kColumns = 2048;  // of a gram matrix that a library makes at once

}  // namespace

Blas::Blas(Device& device, BlasOptions options)
    : Blas(device, options.precision, open_library_products(device, options.libraries)) {}
Blas::Blas(Device& device, Precision precision, std::unique_ptr<LibraryProducts> library)
    : device_(device), precision_(precision), library_(std::move(library)) {
  if (precision_ == Precision::Tf32 && !library_) {
    precision_ = Precision::F32;
    note_ = "TF32 needs cuBLAS, which was not found: products are made in F32.";
  }
}
Blas::~Blas() = default;

std::string Blas::library_name() const { return library_ ? library_->name() : std::string(); }

void Blas::multiply_halves(const own::Product<float, uint16_t, uint16_t>& product) {
  if (library_)
    library_->multiply(product);
  else
    own::multiply(device_, product);
}

void Blas::gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, float alpha,
                const float* a, size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  if (m == 0 || n == 0) return;
  const auto p = product_of(a_transposed, b_transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (b_transposed && m <= own::kThinRows)
    own::multiply_thin(device_, p);
  else if (precision_ == Precision::Bf16x3)
    own::multiply_split(device_, p, [&](const auto& product) { multiply_halves(product); });
  else if (library_)
    library_->multiply(p, precision_ == Precision::Tf32);
  else
    own::multiply(device_, p);
}

void Blas::gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, double alpha,
                const double* a, size_t lda, const double* b, size_t ldb, double beta, double* c,
                size_t ldc) {
  const auto p = product_of(a_transposed, b_transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (library_)
    library_->multiply(p);
  else
    own::multiply(device_, p);
}

void Blas::gemm_batched(const Batch& batch, bool a_transposed, bool b_transposed, size_t m, size_t n,
                        size_t k, float alpha, const float* a, size_t lda, const float* b, size_t ldb,
                        float beta, float* c, size_t ldc) {
  auto p = product_of(a_transposed, b_transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  p.count = batch.count;
  p.a_step = batch.a_step;
  p.b_step = batch.b_step;
  p.c_step = batch.c_step;
  p.b_shared = batch.b_shared;
  if (library_)
    library_->multiply(p, precision_ == Precision::Tf32);
  else
    own::multiply(device_, p);
}

void Blas::times_stored(const float* x, size_t m, size_t k, const void* w, DType type, size_t n, float beta,
                        float* out, size_t ldout) {
  if (type == DType::F32)
    return gemm(false, true, m, n, k, 1.0f, x, k, static_cast<const float*>(w), k, beta, out, ldout);
  if (type != DType::F16 && type != DType::BF16)
    throw Fault{{"internal", "Weights on the card are F16, BF16 or F32.", ""}};
  if (m == 0 || n == 0) return;
  auto p = product_of(false, true, m, n, k, 1.0f, x, k, static_cast<const uint16_t*>(w), k, beta, out, ldout);
  p.half = type == DType::F16;
  if (m <= own::kThinRows)
    own::multiply_thin(device_, p);
  else if (library_ || precision_ == Precision::Bf16x3)
    own::multiply_stored(device_, p, [&](const auto& product) { multiply_halves(product); });
  else
    own::multiply(device_, p);
}

void Blas::add_gram(float alpha, DeviceView<const float> x, DeviceView<float> c) {
  const size_t n = x.columns;
  if (precision_ == Precision::Bf16x3) {
    own::add_lower_gram_split(device_, alpha, x, c, [&](const auto& product) { multiply_halves(product); });
  } else if (precision_ == Precision::Tf32) {
    for (size_t s = 0; s < n; s += kColumns)
      library_->multiply(
          product_of(true, false, n - s, std::min(kColumns, n - s), x.rows, alpha, x.data + s, x.stride,
                     x.data + s, x.stride, 1.0f, c.data + s * (c.stride + 1), c.stride),
          true);
  } else if (library_) {
    library_->add_lower_gram(true, n, x.rows, alpha, x.data, x.stride, c.data, c.stride);
  } else {
    return own::add_gram(device_, true, n, x.rows, alpha, x.data, x.stride, c.data, c.stride, true);
  }
  own::mirror_lower(device_, c);
}

void Blas::add_products(float alpha, DeviceView<const float> x, DeviceView<const float> y,
                        DeviceView<float> c) {
  gemm(true, false, c.rows, c.columns, x.rows, alpha, x.data, x.stride, y.data, y.stride, 1.0f, c.data,
       c.stride);
}

}  // namespace signum::cuda
