// GPTQ (arXiv 2210.17323): integer grids per row and group, error propagated column by column.
#include "base/pool.h"
#include "methods/compensation.h"
#include "methods/gptq_kernels.h"
#include "methods/grid.h"
#include "methods/method_list.h"
#include "methods/tiles.h"

namespace signum {
namespace {

// Range of each row over columns [begin, end) of a tile, widened to 0, as grids.
void tile_grids(const float* tile, size_t begin, size_t end, float levels, DType scale_type, float* step,
                float* zero) {
  for (size_t lane = 0; lane < kTileRows; ++lane) {
    float least = 0, most = 0;
    for (size_t j = begin; j < end; ++j) {
      least = std::min(least, tile[j * kTileRows + lane]);
      most = std::max(most, tile[j * kTileRows + lane]);
    }
    const Grid grid = make_grid(least, most, levels, scale_type);
    step[lane] = grid.step;
    zero[lane] = grid.zero;
  }
}

}  // namespace

PackedLinear quantize_gptq(const Recipe& recipe, Matrix weight, const Factor& factor, ThreadPool& pool) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = Method::Gptq;
  l.rows = weight.rows();
  l.columns = weight.columns();
  l.scale_type = recipe.scale_type;
  l.bits = recipe.bits;
  l.group = recipe.group < 0 ? l.columns : std::min(size_t(recipe.group), l.columns);
  const bool whole_row = l.group == l.columns;
  // Propagation inside a block makes the result independent of the block's width, so a block may hold any
  // number of whole groups.
  const size_t blocksize =
      whole_row ? recipe.blocksize : (std::max(recipe.blocksize, l.group) / l.group) * l.group;
  const size_t groups = (l.columns + l.group - 1) / l.group, row_bytes = (l.columns * size_t(l.bits) + 7) / 8;
  const float levels = float((1 << l.bits) - 1);

  // With one group a row, the grid comes from the weights as they were (dead columns included).
  std::vector<Grid> row_grids(whole_row ? l.rows : 0);
  for (size_t i = 0; i < row_grids.size(); ++i) {
    float least = 0, most = 0;
    for (size_t j = 0; j < l.columns; ++j) {
      least = std::min(least, weight(i, j));
      most = std::max(most, weight(i, j));
    }
    row_grids[i] = make_grid(least, most, levels, l.scale_type);
  }

  PackedTensor code{"code", DType::U8, {l.rows, row_bytes}, std::vector<uint8_t>(l.rows * row_bytes)};
  PackedTensor zero{"code_zero", DType::U8, {l.rows, groups}, std::vector<uint8_t>(l.rows * groups)};
  ScalarTensor scale("code_scale", l.scale_type, {l.rows, groups});
  BlockLoop loop(std::move(weight), factor, blocksize, pool);
  Matrix quantized(l.rows, std::min(blocksize, l.columns));
  for (size_t t = 0; t < loop.blocks(); ++t) {
    loop.enter(t);
    const size_t width = loop.width(), start = loop.start();
    const size_t group = whole_row ? width : l.group;
    std::vector<float> r_diagonal(width);
    for (size_t j = 0; j < width; ++j) r_diagonal[j] = loop.r_block()(j, j);
    const size_t tiles = (l.rows + kTileRows - 1) / kTileRows;
    pool.parallel_for(tiles, [&](size_t index) {
      Tiles tile(std::min(kTileRows, l.rows - index * kTileRows), width), codes(kTileRows, width),
          values(kTileRows, width);
      tile.load(0, loop.current().block(index * kTileRows, 0, tile.rows(), width));
      alignas(64) float step[kTileRows], zeros[kTileRows];
      for (size_t begin = 0; begin < width; begin += group) {
        const size_t end = std::min(begin + group, width), g = whole_row ? 0 : (start + begin) / group;
        if (whole_row) {
          for (size_t lane = 0; lane < kTileRows; ++lane) {
            const Grid grid = lane < tile.rows() ? row_grids[index * kTileRows + lane] : Grid{};
            step[lane] = grid.step;
            zeros[lane] = grid.zero;
          }
        } else {
          tile_grids(tile.tile(0), begin, end, levels, l.scale_type, step, zeros);
        }
        gptq_columns(tile.tile(0), begin, end, width, loop.u_block(), r_diagonal.data(), step, zeros, levels,
                     codes.tile(0), values.tile(0));
        for (size_t lane = 0; lane < tile.rows(); ++lane) {
          const size_t i = index * kTileRows + lane;
          scale.set(i * groups + g, step[lane]);
          zero.bytes[i * groups + g] = uint8_t(zeros[lane]);
        }
      }
      for (size_t lane = 0; lane < tile.rows(); ++lane) {
        const size_t i = index * kTileRows + lane;
        uint8_t* code_row = code.bytes.data() + i * row_bytes;
        for (size_t j = 0; j < width; ++j) {
          put_code(code_row, start + j, l.bits, uint32_t(codes.tile(0)[j * kTileRows + lane]));
          quantized(i, j) = values.tile(0)[j * kTileRows + lane];
        }
      }
    });
    loop.leave_with_quantized(quantized.view().block(0, 0, l.rows, width));
  }
  linear.tensors = {std::move(code), scale.take(), std::move(zero)};
  return linear;
}

}  // namespace signum
