// pb-llm: signs with a mean and a scale per row and group for all weights; what its salient weights differ
// from that is added for each of them.
#include "kernels/planes_product.h"
#include "methods/bit_streams.h"
#include "methods/salient_mask.h"

namespace signum::kernels {
namespace {

class PbLlmProduct : public Product {
 public:
  PbLlmProduct(const Tensors& tensors, std::vector<float> x)
      : layout_(tensors.linear.layout),
        x_(std::move(x)),
        groups_((layout_.columns + layout_.group - 1) / layout_.group),
        mask_(mask_bytes(tensors.linear)),
        starts_(mask_starts(layout_, mask_.counts)),
        sign_(tensors.plane("sign")),
        mean_(tensors.bytes("mean").data()),
        scale_(tensors.bytes("scale").data()),
        step_(tensors.bytes("code_scale").data()),
        zero_(tensors.bytes("code_zero").data()),
        code_(tensors.bytes("code").data()) {
    const BlockTables blocks(layout_.columns, layout_.group, 1);
    sums_ = blocks.sums(x_.data());
    aligned_ = begins_at_bytes(layout_.group, layout_.columns);
    if (aligned_)
      signs_.add_plane(tensors, "sign", layout_.group, Weighing::Signs, x_,
                       tensors.scalars("scale", groups_));
  }

  void add(size_t first, size_t last, float* y) const override {
    if (aligned_) signs_.add(first, last, y);
    RowScratch scratch(layout_, groups_);
    for (size_t i = first; i < last; ++i) y[i - first] += rest(i, scratch);
  }

 private:
  float scalar(const uint8_t* tensor, size_t at) const { return scalar_at(layout_.scale_type, tensor, at); }

  // What one row's rest needs, kept between rows.
  struct RowScratch {
    explicit RowScratch(const Layout& layout, size_t groups) : columns(layout.columns), levels(groups) {}
    std::vector<uint32_t> columns;  // of salient weights
    struct Levels {
      float of[2];  // minus, plus
    };
    std::vector<Levels> levels;  // of the other weights, by group
  };

  // Of row i, all that signs_ does not add.
  float rest(size_t i, RowScratch& scratch) const {
    const uint8_t* signs = sign_.data + i * sign_.row_bytes;
    const auto sign = [&](size_t j) { return signs[j >> 3] >> (j & 7) & 1; };
    double sum = 0;
    for (size_t g = 0; g < groups_; ++g) {
      const float mean = scalar(mean_, i * groups_ + g), scale = scalar(scale_, i * groups_ + g);
      scratch.levels[g] = {{mean - scale, mean + scale}};
      sum += double(mean) * double(sums_[g]);
    }
    if (!aligned_)
      for (size_t j = 0; j < x_.size(); ++j) {
        const float scale = scalar(scale_, i * groups_ + j / layout_.group);
        sum += double(sign(j) ? scale : -scale) * double(x_[j]);
      }
    read_mask_row(layout_, mask_, starts_, i, scratch.columns.data());
    const size_t low_bits = size_t(layout_.salient_bits) - 1;
    const float step = scalar(step_, i);
    const int zero = zero_[i];
    size_t g = 0, end = layout_.group;  // of the group's columns
    for (size_t k = starts_[i]; k < starts_[i + 1]; ++k) {
      const size_t j = scratch.columns[k - starts_[i]];
      while (j >= end) ++g, end += layout_.group;
      const int plus = sign(j), value = int(code_at(code_, k, low_bits)) | plus << low_bits;
      sum += double((step * float(value - zero) - scratch.levels[g].of[plus]) * x_[j]);
    }
    return float(sum);
  }

  const Layout& layout_;
  std::vector<float> x_;
  size_t groups_;
  MaskBytes mask_;
  std::vector<size_t> starts_;
  Plane sign_;
  const uint8_t *mean_, *scale_, *step_, *zero_, *code_;
  std::vector<float> sums_;
  bool aligned_ = false;
  PlanesProduct signs_;
};

}  // namespace

std::unique_ptr<Product> pb_llm_product(const Tensors& tensors, std::vector<float> x) {
  return std::make_unique<PbLlmProduct>(tensors, std::move(x));
}

}  // namespace signum::kernels
