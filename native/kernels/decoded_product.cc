#include "base/pool.h"
#include "kernels/product.h"

namespace signum::kernels {
namespace {

// Rows [first, first + rows) of a linear by themselves.
PackedLinear rows_of(const PackedView& linear, size_t first, size_t rows) {
  PackedLinear part{.layout = linear.layout, .tensors = {}, .order = nullptr};
  part.layout.rows = rows;
  part.layout.has_order = false;
  const std::vector<TensorRule> whole = tensor_rules(linear.layout), ours = tensor_rules(part.layout);
  for (size_t t = 0; t < whole.size(); ++t) {
    const std::span<const uint8_t> bytes = linear.tensors.at(whole[t].role);
    PackedTensor tensor{whole[t].role, whole[t].dtype, ours[t].shape, {}};
    // The side that counts rows, if any: before it lie slots, behind it a row's numbers.
    size_t side = 0;
    while (side < whole[t].shape.size() && whole[t].shape[side] == ours[t].shape[side]) ++side;
    if (side == whole[t].shape.size()) {
      tensor.bytes.assign(bytes.begin(), bytes.end());
    } else {
      size_t slots = 1, row_bytes = dtype_bytes(whole[t].dtype);
      for (size_t s = 0; s < side; ++s) slots *= whole[t].shape[s];
      for (size_t s = side + 1; s < whole[t].shape.size(); ++s) row_bytes *= whole[t].shape[s];
      for (size_t slot = 0; slot < slots; ++slot) {
        const auto begin = bytes.begin() + long((slot * linear.layout.rows + first) * row_bytes);
        tensor.bytes.insert(tensor.bytes.end(), begin, begin + long(rows * row_bytes));
      }
    }
    part.tensors.push_back(std::move(tensor));
  }
  return part;
}

class DecodedProduct : public Product {
 public:
  DecodedProduct(const Tensors& tensors, std::vector<float> x) : linear_(tensors.linear), x_(std::move(x)) {}
  void add(size_t first, size_t last, float* y) const override {
    ThreadPool alone(1);
    for (size_t row = first; row < last; row += tile_rows()) {
      const Matrix dense = decode(rows_of(linear_, row, std::min(tile_rows(), last - row)), alone).value();
      for (size_t i = 0; i < dense.rows(); ++i) {
        double sum = 0;
        for (size_t j = 0; j < x_.size(); ++j) sum += double(dense(i, j)) * double(x_[j]);
        y[row - first + i] += float(sum);
      }
    }
  }

 private:
  const PackedView& linear_;
  std::vector<float> x_;
};

}  // namespace

std::unique_ptr<Product> decoded_product(const Tensors& tensors, std::vector<float> x) {
  return std::make_unique<DecodedProduct>(tensors, std::move(x));
}

}  // namespace signum::kernels
