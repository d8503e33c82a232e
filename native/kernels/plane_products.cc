// Products of the layouts without groups: codes, and sums of planes.
#include "kernels/planes_product.h"

namespace signum::kernels {
namespace {

// rtn, gptq.
class CodesProduct : public Product {
 public:
  CodesProduct(const Tensors& tensors, std::vector<float> x)
      : x_(std::move(x)),
        bits_(tensors.linear.layout.bits),
        blocks_(x_.size(), tensors.linear.layout.group, bits_, Weighing::Codes),
        sums_(blocks_.sums(x_.data())) {
    const size_t groups = blocks_.blocks().size();
    job_ = {.rows = tensors.linear.layout.rows,
            .plane = tensors.plane("code"),
            .blocks = blocks_.blocks().data(),
            .block_count = groups,
            .scale = tensors.scalars("code_scale", groups),
            .sums = sums_.data(),
            .zeros = tensors.bytes("code_zero").data(),
            .zero = uint8_t(1u << (bits_ - 1))};
    // At one bit most codes are the zero, and sums that take it off would have nothing but rounding left.
    if (bits_ == 1 || !can_look_up(bits_) || tensors.linear.layout.group * size_t(bits_) % 8 != 0) return;
    tables_ = blocks_.tables(x_.data());
    job_.tables = tables_.get();
  }
  void add(size_t first, size_t last, float* y) const override {
    for_parts(blocks_.blocks(), first, last, 1, [&](const Part& part) {
      float* sums = y + (part.first - first);
      job_.tables ? add_planes(job_, part, sums) : add_codes(job_, x_.data(), bits_, part, sums);
    });
  }

 private:
  std::vector<float> x_;
  int bits_;
  BlockTables blocks_;
  std::vector<float> sums_;
  std::unique_ptr<float[], AlignedFree> tables_;
  PlaneJob job_;
};

}  // namespace

std::unique_ptr<Product> codes_product(const Tensors& tensors, std::vector<float> x) {
  return std::make_unique<CodesProduct>(tensors, std::move(x));
}

std::unique_ptr<Product> signum_rc_product(const Tensors& tensors, const std::vector<float>& x) {
  const Layout& layout = tensors.linear.layout;
  auto product = std::make_unique<PlanesProduct>();
  product->add_plane(tensors, "sign", layout.blocksize, Weighing::Signs,
                     times(x, tensors.floats("column_scale")), tensors.scalars("row_scale", layout.blocks()));
  if (const size_t k = layout.second_columns; k > 0)
    product->add_plane(tensors, "sign2", layout.blocksize, Weighing::Signs,
                       times(std::span(x).first(k), tensors.floats("column_scale2")),
                       tensors.scalars("row_scale2", (k + layout.blocksize - 1) / layout.blocksize));
  if (const size_t k = layout.third_columns; k > 0)
    product->add_plane(tensors, "sign3", layout.blocksize, Weighing::Signs,
                       times(std::span(x).first(k), tensors.floats("column_scale3")),
                       tensors.scalars("row_scale3", (k + layout.blocksize - 1) / layout.blocksize));
  return product;
}

std::unique_ptr<Product> fdb_product(const Tensors& tensors, const std::vector<float>& x) {
  const Layout& layout = tensors.linear.layout;
  const size_t groups = (layout.columns + layout.group - 1) / layout.group;
  Scalars first = tensors.scalars("scale", groups), second = first;
  second.data += layout.rows * groups * dtype_bytes(layout.scale_type);
  auto product = std::make_unique<PlanesProduct>();
  product->add_plane(tensors, "sign", layout.group, Weighing::Codes, x, first);
  product->add_plane(tensors, "plane2", layout.group, Weighing::Codes, x, second);
  return product;
}

}  // namespace signum::kernels
