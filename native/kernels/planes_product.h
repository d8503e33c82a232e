#pragma once

#include "kernels/product.h"

namespace signum::kernels {

// A sum of planes with one scale per row and block: signum-rc, fdb.
class PlanesProduct : public Product {
 public:
  // The plane's x [columns] carries its column scales.
  void add_plane(const Tensors& tensors, const char* role, size_t width, Weighing weighing,
                 std::span<const float> x, Scalars scale) {
    auto& plane = *planes_.emplace_back(
        std::make_unique<OnePlane>(OnePlane{BlockTables(x.size(), width, 1, weighing), {}, {}}));
    plane.tables = plane.blocks.tables(x.data(), tensors.pool);
    plane.job = {.rows = tensors.linear.layout.rows,
                 .plane = tensors.plane(role),
                 .blocks = plane.blocks.blocks().data(),
                 .block_count = plane.blocks.blocks().size(),
                 .tables = plane.tables.bytes.get(),
                 .units = plane.tables.units.data(),
                 .scale = scale};
  }
  void add(size_t first, size_t last, float* y) const override {
    for (const auto& plane : planes_)
      for (size_t row = first; row < last; row += tile_rows()) add_planes(plane->job, row, y + (row - first));
  }

 private:
  struct OnePlane {
    BlockTables blocks;
    TablesOfX tables;
    PlaneJob job;
  };
  std::vector<std::unique_ptr<OnePlane>> planes_;
};

}  // namespace signum::kernels
