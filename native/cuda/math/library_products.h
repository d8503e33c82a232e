// Products by NVIDIA's libraries, where they were found.
#pragma once

#include <memory>
#include <string>

#include "cuda/library_search.h"
#include "cuda/math/gemm.h"

namespace signum::cuda {

class LibraryProducts {
 public:
  virtual ~LibraryProducts() = default;
  // What makes the products and the factors, with versions: "cublas 13.1.0, cusolver 12.0.4".
  virtual const std::string& name() const = 0;
  // tf32: operands may be rounded to 10 bits.
  virtual void multiply(const own::Product<float, float>& product, bool tf32) = 0;
  virtual void multiply(const own::Product<double, double>& product) = 0;
  // Operands of 16 bits, exact products, sums in F32.
  virtual void multiply(const own::Product<float, uint16_t, uint16_t>& product) = 0;
  // Lower triangle of C [n, n] += alpha op(A) op(A)^T; op(A) [n, k], stored [k, n] where transposed.
  virtual void add_lower_gram(bool transposed, size_t n, size_t k, float alpha, const float* a, size_t lda,
                              float* c, size_t ldc) = 0;
  // As math/triangular.h's; false where there is no cuSOLVER or it does not take this one.
  virtual bool cholesky(size_t n, float* a, size_t lda) = 0;
  virtual bool cholesky(size_t n, double* a, size_t lda) = 0;
};

// Null where no cuBLAS was found that works with this driver and this card, which a small product shows.
std::unique_ptr<LibraryProducts> load_library_products(Device& device, const SearchPlaces& places,
                                                       int cuda_major);
// The same for this machine, folder looked at first (hardware/); the emulated device has none.
std::unique_ptr<LibraryProducts> open_library_products(Device& device, const std::string& folder);

}  // namespace signum::cuda
