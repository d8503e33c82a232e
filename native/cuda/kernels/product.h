// y = W x straight from a packed linear on the card: no dense copy of it is ever made.
#pragma once

#include "cuda/kernels/device_packed.h"
#include "cuda/kernels/product_job.h"
#include "cuda/matrix.h"

namespace signum::cuda {

// What products write to on their way, kept between them: one after another may use the same.
class ProductRoom {
 public:
  // Makes room for a product of so many tokens; not while a graph is being recorded. multiply() does it
  // where it was not done.
  void reserve(Card& card, const DevicePacked& linear, size_t tokens);
  uint64_t bytes() const { return partials_.bytes() + arrived_.bytes() + strip_.bytes(); }

 private:
  friend void multiply(Card&, ProductRoom&, const DevicePacked&, const float*, size_t, float, float*, size_t);
  Array<float> partials_, strip_;
  Array<unsigned> arrived_;
};

// out [tokens, out_stride] = beta * out + x W^T, x [tokens, columns] without gaps; a product is equal to the
// decoder's within 1e-5 of sum |w x|. Up to 8 tokens go straight to the planes, for more a strip of rows at a
// time is decoded and multiplied by Blas. The same bytes every time; beta 0: out is not read.
void multiply(Card& card, ProductRoom& room, const DevicePacked& linear, const float* x, size_t tokens,
              float beta, float* out, size_t out_stride);
// The same in a room of its own, out [tokens, rows].
void multiply(Card& card, const DevicePacked& linear, const float* x, size_t tokens, float beta, float* out);

// How a product of up to 8 tokens is cut.
ProductPlan plan_product(const PackedOnCard& linear, size_t tokens);

}  // namespace signum::cuda
