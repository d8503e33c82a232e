#include "kernels/product.h"

namespace signum::kernels {
namespace {

class DecodedProduct : public Product {
 public:
  DecodedProduct(const Tensors& tensors, std::vector<float> x)
      : decode_row_(row_decoder(tensors.linear)), x_(std::move(x)) {}
  void add(size_t first, size_t last, float* y) const override {
    std::vector<float> weights(x_.size());
    for (size_t i = first; i < last; ++i) {
      decode_row_(i, weights.data());
      double sum = 0;
      for (size_t j = 0; j < x_.size(); ++j) sum += double(weights[j]) * double(x_[j]);
      y[i - first] += float(sum);
    }
  }

 private:
  RowDecoder decode_row_;
  std::vector<float> x_;
};

}  // namespace

std::unique_ptr<Product> decoded_product(const Tensors& tensors, std::vector<float> x) {
  return std::make_unique<DecodedProduct>(tensors, std::move(x));
}

}  // namespace signum::kernels
