// Flexible Dual Binarization, the part of DB-LLM (arXiv 2402.11960) that needs no data: two planes of 0 and 1
// with a scale each, fitted to every group of a row by itself.
#include "base/pool.h"
#include "methods/fdb_fit.h"
#include "methods/method_list.h"
#include "methods/stored.h"

namespace signum {

PackedLinear quantize_fdb(const Recipe& recipe, const Matrix& weight, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::Fdb;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.group = std::min(size_t(recipe.group), l.columns);
  const size_t m = l.rows, n = l.columns, groups = (n + l.group - 1) / l.group;

  BitPlane plane1("sign", m, n), plane2("plane2", m, n);
  ScalarTensor scale("scale", l.scale_type, {2, m, groups});
  pool.parallel_for((m + kTileRows - 1) / kTileRows, [&](size_t index) {
    const size_t row = index * kTileRows;
    Tiles tile(std::min(kTileRows, m - row), n);
    tile.load(0, weight.view().block(row, 0, tile.rows(), n));
    std::vector<uint16_t> bits1(l.group), bits2(l.group);
    for (size_t g = 0; g < groups; ++g) {
      const size_t begin = g * l.group, width = std::min(l.group, n - begin);
      const float* w = tile.tile(0) + begin * kTileRows;
      const FdbScales scales = fdb_fit(w, width, recipe.step_rule, l.scale_type, kFdbRounds);
      fdb_planes(w, width, scales, bits1.data(), bits2.data());
      plane1.put(row, tile.rows(), begin, bits1.data(), width);
      plane2.put(row, tile.rows(), begin, bits2.data(), width);
      for (size_t lane = 0; lane < tile.rows(); ++lane) {
        scale.set((row + lane) * groups + g, scales.first[lane]);
        scale.set((m + row + lane) * groups + g, scales.second[lane]);
      }
    }
  });
  linear.tensors = {plane1.take(), plane2.take(), scale.take()};
  return linear;
}

}  // namespace signum
