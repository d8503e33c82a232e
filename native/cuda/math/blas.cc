#include "cuda/math/blas.h"

#include "cuda/math/gemm.h"

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

template <class W>
void multiply_by_size(Device& device, const own::Product<float, W>& p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.b_transposed && p.m <= own::kThinRows)
    own::multiply_thin(device, p);
  else
    own::multiply(device, p);
}

}  // namespace

Blas::Blas(Device& device, BlasOptions options) : device_(device), options_(std::move(options)) {}
Blas::~Blas() = default;

bool Blas::has_library() const { return false; }

void Blas::gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, float alpha,
                const float* a, size_t lda, const float* b, size_t ldb, float beta, float* c, size_t ldc) {
  multiply_by_size(device_,
                   product_of(a_transposed, b_transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc));
}

void Blas::gemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, double alpha,
                const double* a, size_t lda, const double* b, size_t ldb, double beta, double* c,
                size_t ldc) {
  own::multiply(device_,
                product_of(a_transposed, b_transposed, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc));
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
  own::multiply(device_, p);
}

void Blas::times_stored(const float* x, size_t m, size_t k, const void* w, DType type, size_t n, float beta,
                        float* out, size_t ldout) {
  if (type == DType::F32)
    return gemm(false, true, m, n, k, 1.0f, x, k, static_cast<const float*>(w), k, beta, out, ldout);
  if (type != DType::F16 && type != DType::BF16)
    throw Fault{{"internal", "Weights on the card are F16, BF16 or F32.", ""}};
  auto p = product_of(false, true, m, n, k, 1.0f, x, k, static_cast<const uint16_t*>(w), k, beta, out, ldout);
  p.half = type == DType::F16;
  multiply_by_size(device_, p);
}

void Blas::add_gram(float alpha, DeviceView<const float> x, DeviceView<float> c) {
  own::add_gram(device_, true, x.columns, x.rows, alpha, x.data, x.stride, c.data, c.stride, true);
}

void Blas::add_products(float alpha, DeviceView<const float> x, DeviceView<const float> y,
                        DeviceView<float> c) {
  gemm(true, false, c.rows, c.columns, x.rows, alpha, x.data, x.stride, y.data, y.stride, 1.0f, c.data,
       c.stride);
}

}  // namespace signum::cuda
