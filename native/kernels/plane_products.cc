// Products of the layouts without groups: codes, and sums of planes.
#include "kernels/planes_product.h"

namespace signum::kernels {
namespace {

uint8_t middle_code(const Layout& layout) { return uint8_t(1u << (layout.bits - 1)); }

// rtn, gptq, where codes can be looked up.
class LookedUpCodes : public Product {
 public:
  LookedUpCodes(const Tensors& tensors, const std::vector<float>& x)
      : blocks_(x.size(), tensors.linear.layout.group, tensors.linear.layout.bits, Weighing::Codes),
        sums_(blocks_.sums(x.data())),
        tables_(blocks_.tables(x.data(), tensors.pool)) {
    const size_t groups = blocks_.blocks().size();
    job_ = {.rows = tensors.linear.layout.rows,
            .plane = tensors.plane("code"),
            .blocks = blocks_.blocks().data(),
            .block_count = groups,
            .tables = tables_.bytes.get(),
            .units = tables_.units.data(),
            .scale = tensors.scalars("code_scale", groups),
            .sums = sums_.data(),
            .zeros = tensors.bytes("code_zero").data(),
            .middle = middle_code(tensors.linear.layout)};
  }
  void add(size_t first, size_t last, float* y) const override {
    for (size_t row = first; row < last; row += tile_rows()) add_planes(job_, row, y + (row - first));
  }

 private:
  BlockTables blocks_;
  std::vector<float> sums_;
  TablesOfX tables_;
  PlaneJob job_;
};

// Those of any other width, or in groups that begin inside a byte.
class ConvertedCodes : public Product {
 public:
  ConvertedCodes(const Tensors& tensors, const std::vector<float>& x)
      : blocks_(x.size(), tensors.linear.layout.group, tensors.linear.layout.bits, Weighing::Codes),
        places_(make_places(tensors.linear.layout.bits)) {
    const std::vector<Block>& blocks = blocks_.blocks();
    const auto filled = [](size_t width) { return (width + code_step() - 1) / code_step() * code_step(); };
    size_t room = 0;
    for (const Block& block : blocks) room += filled(block.width);
    x_ = aligned_array<float>(room);
    std::fill_n(x_.get(), room, 0.0f);
    float* to = x_.get();
    for (const Block& block : blocks) {
      std::copy_n(x.data() + block.first, block.width, to);
      to += filled(block.width);
    }
    job_ = {.rows = tensors.linear.layout.rows,
            .plane = tensors.plane("code"),
            .bits = tensors.linear.layout.bits,
            .blocks = blocks.data(),
            .block_count = blocks.size(),
            .x = x_.get(),
            .scale = tensors.scalars("code_scale", blocks.size()),
            .zeros = tensors.bytes("code_zero").data(),
            .zero = middle_code(tensors.linear.layout),
            .places = places_.get()};
  }
  void add(size_t first, size_t last, float* y) const override { add_codes(job_, first, last, y); }

 private:
  BlockTables blocks_;
  std::shared_ptr<const void> places_;
  std::unique_ptr<float[], AlignedFree> x_;
  CodeJob job_;
};

}  // namespace

std::unique_ptr<Product> codes_product(const Tensors& tensors, const std::vector<float>& x) {
  const Layout& layout = tensors.linear.layout;
  // At one bit most codes are the zero, and sums that take it off would have nothing but rounding left.
  if (layout.bits > 1 && can_look_up(layout.bits) &&
      begins_at_bytes(layout.group, layout.columns, layout.bits))
    return std::make_unique<LookedUpCodes>(tensors, x);
  return std::make_unique<ConvertedCodes>(tensors, x);
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
  product->add_plane(tensors, "sign", layout.group, Weighing::Bits, x, first);
  product->add_plane(tensors, "plane2", layout.group, Weighing::Bits, x, second);
  return product;
}

}  // namespace signum::kernels
