// GPTQ (arXiv 2210.17323): integer grids per row and group, error propagated column by column.
#include "base/pool.h"
#include "methods/coded_linear.h"
#include "methods/compensation.h"
#include "methods/gptq_kernels.h"
#include "methods/method_list.h"

namespace signum {
namespace {

// Grids of whole rows, by tile, from the weights as they were, dead columns included: as published.
std::vector<TileGrids> whole_row_grids(const Recipe& recipe, const Matrix& weight, ThreadPool& pool) {
  std::vector<TileGrids> grids(tiles_of(weight.rows()));
  pool.parallel_for(grids.size(), [&](size_t index) {
    const size_t row = index * kTileRows, rows = std::min(kTileRows, weight.rows() - row);
    Tiles tile(rows, weight.columns());
    tile.load(0, weight.view().block(row, 0, rows, weight.columns()));
    grids[index] = tile_grids(tile.tile(0), weight.columns(), recipe);
  });
  return grids;
}

}  // namespace

PackedLinear quantize_gptq(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  const size_t m = weight.rows(), n = weight.columns();
  CodedLinear linear(recipe, m, n);
  const bool whole_row = linear.groups() == 1;
  const std::vector<TileGrids> row_grids =
      whole_row ? whole_row_grids(recipe, weight, pool) : std::vector<TileGrids>();
  // Propagation inside a block makes the result independent of the block's width, so a block may hold any
  // number of whole groups.
  const size_t blocksize =
      whole_row ? recipe.blocksize
                : (std::max(recipe.blocksize, linear.group()) / linear.group()) * linear.group();
  BlockLoop loop(std::move(weight), factor, blocksize, pool);
  Matrix quantized(m, std::min(blocksize, n));
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    const size_t width = loop.width(), start = loop.start();
    const size_t group = whole_row ? width : linear.group();
    std::vector<float> r_diagonal(width);
    for (size_t j = 0; j < width; ++j) r_diagonal[j] = loop.r_block()(j, j);
    pool.parallel_for(tiles_of(m), [&](size_t index) {
      const size_t row = index * kTileRows, rows = std::min(kTileRows, m - row);
      Tiles tile(rows, width), codes(kTileRows, width), values(rows, width);
      tile.load(0, loop.current().block(row, 0, rows, width));
      for (size_t begin = 0; begin < width; begin += group) {
        const size_t end = std::min(begin + group, width);
        const TileGrids grids =
            whole_row ? row_grids[index] : tile_grids(tile.tile(0) + begin * kTileRows, end - begin, recipe);
        gptq_columns(tile.tile(0), begin, end, width, loop.u_block(), r_diagonal.data(), grids,
                     highest_code(recipe.bits), codes.tile(0), values.tile(0));
        linear.put_grids(row, rows, whole_row ? 0 : (start + begin) / group, grids);
      }
      linear.put_codes(row, rows, start, width, codes.tile(0));
      values.store(0, quantized.view().block(row, 0, rows, width));
    });
    loop.leave_with_quantized(quantized.view().block(0, 0, m, width));
  }
  return linear.take();
}

}  // namespace signum
