// Round to nearest (arXiv 2210.17323): no calibration, dead columns are not touched.
#include "base/pool.h"
#include "methods/coded_linear.h"
#include "methods/grid_kernels.h"
#include "methods/method_list.h"

namespace signum {

PackedLinear quantize_rtn(const Recipe& recipe, const Matrix& weight, ThreadPool& pool) {
  const size_t m = weight.rows(), n = weight.columns();
  CodedLinear linear(recipe, m, n);
  pool.parallel_for((m + kTileRows - 1) / kTileRows, [&](size_t index) {
    const size_t row = index * kTileRows, rows = std::min(kTileRows, m - row);
    for (size_t g = 0; g < linear.groups(); ++g) {
      const size_t begin = g * linear.group(), width = std::min(linear.group(), n - begin);
      Tiles tile(rows, width), codes(rows, width);
      tile.load(0, weight.view().block(row, begin, rows, width));
      const TileGrids grids = tile_grids(tile.tile(0), width, recipe);
      grid_codes(tile.tile(0), width, grids, highest_code(recipe.bits), codes.tile(0));
      linear.put_grids(row, rows, g, grids);
      linear.put_codes(row, rows, begin, width, codes.tile(0));
    }
  });
  return linear.take();
}

}  // namespace signum
