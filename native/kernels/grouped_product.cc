#include "kernels/product.h"

namespace signum::kernels {
namespace {

// billm, arb, arb-x, arb-rc.
class GroupedProduct : public Product {
 public:
  GroupedProduct(const Tensors& tensors, const std::vector<float>& x)
      : rank_one_(tensors.linear.layout.method == Method::ArbRc),
        blocks_(x.size(), tensors.linear.layout.blocksize, 1) {
    const Layout& layout = tensors.linear.layout;
    const size_t nb = layout.blocks();
    std::vector<float> others = x, salient(x.size());
    read_salient(tensors, x, others, salient);
    job_ = {.rows = layout.rows,
            .sign = tensors.plane("sign"),
            .plane2 = tensors.plane("plane2"),
            .plane3 = tensors.plane("plane3"),
            .blocks = blocks_.blocks().data(),
            .block_count = nb,
            .salient = salient_.data(),
            .salient_begin = salient_begin_.data()};
    if (rank_one_) {
      const std::vector<float> column_scale = tensors.floats("column_scale");
      for (size_t group = 0; group < 2; ++group)
        tables_[group] = blocks_.tables(
            times(others, std::span(column_scale).subspan(group * x.size(), x.size())).data(), tensors.pool);
      job_.scale = tensors.scalars("row_scale", nb);
    } else {
      tables_[0] = blocks_.tables(others.data(), tensors.pool);
      sums_ = blocks_.sums(others.data());
      salient_sums_ = blocks_.sums(salient.data());
      job_.scale = tensors.scalars("scale", nb);
      job_.mean = tensors.scalars("mean", nb);
    }
    for (size_t group = 0; group < 2; ++group) {
      job_.tables[group] = tables_[group].bytes.get();
      job_.units[group] = tables_[group].units.data();
    }
    job_.sums = sums_.data();
    job_.salient_sums = salient_sums_.data();
  }
  void add(size_t first, size_t last, float* y) const override {
    for (size_t row = first; row < last; row += tile_rows())
      rank_one_ ? add_rank_one(job_, row, y + (row - first)) : add_means(job_, row, y + (row - first));
  }

 private:
  // Parts x into the salient columns and the others.
  void read_salient(const Tensors& tensors, const std::vector<float>& x, std::vector<float>& others,
                    std::vector<float>& salient) {
    const uint8_t* flags = tensors.bytes("salient").data();
    const std::vector<float> column_scale = rank_one_ ? tensors.floats("column_scale") : std::vector<float>();
    salient_begin_.push_back(0);
    for (const Block& block : blocks_.blocks()) {
      for (size_t j = block.first; j < block.first + block.width; ++j) {
        if (!(flags[j >> 3] >> (j & 7) & 1)) continue;
        SalientColumn column{.bit = uint32_t(j - block.first), .compact = uint32_t(salient_.size())};
        for (size_t slot = 0; slot < (rank_one_ ? column_scale.size() / x.size() : 1); ++slot)
          column.x[slot] = rank_one_ ? x[j] * column_scale[slot * x.size() + j] : x[j];
        salient_.push_back(column);
        salient[j] = x[j];
        others[j] = 0;
      }
      salient_begin_.push_back(salient_.size());
    }
  }

  bool rank_one_;
  BlockTables blocks_;
  std::vector<SalientColumn> salient_;
  std::vector<size_t> salient_begin_;
  TablesOfX tables_[2];
  std::vector<float> sums_, salient_sums_;
  GroupedJob job_;
};

}  // namespace

std::unique_ptr<Product> grouped_product(const Tensors& tensors, const std::vector<float>& x) {
  return std::make_unique<GroupedProduct>(tensors, x);
}

}  // namespace signum::kernels
