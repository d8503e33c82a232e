#include "methods/mask_search.h"

#include <cmath>
#include <cstring>
#include <numeric>

#include "base/pool.h"
#include "methods/search_kernels.h"
#include "methods/split_search.h"
#include "methods/tile_sums.h"

namespace signum {
namespace {

void gather_columns(Tiles& tiles, size_t t, const std::vector<uint32_t>& order, float* scratch) {
  float* tile = tiles.tile(t);
  std::memcpy(scratch, tile, tiles.width() * kTileRows * sizeof(float));
  for (size_t j = 0; j < order.size(); ++j)
    std::memcpy(tile + j * kTileRows, scratch + order[j] * kTileRows, kTileRows * sizeof(float));
}

// 1 / U_jj times a power of two that keeps T and its squares inside F32: exact, so no comparison changes.
std::vector<float> search_scale(ConstView r_block) {
  float largest = 0;
  for (size_t j = 0; j < r_block.columns; ++j) largest = std::max(largest, r_block(j, j));
  int exponent = 0;
  std::frexp(largest, &exponent);
  std::vector<float> scale(r_block.columns);
  for (size_t j = 0; j < scale.size(); ++j) scale[j] = std::ldexp(r_block(j, j), -exponent);
  return scale;
}

// S = H / 2: the mean over the calibration sequences of X^T X, where H is twice that.
Matrix gram_of(const Matrix& h_block, const std::vector<uint32_t>& order) {
  Matrix gram(order.size(), order.size());
  for (size_t i = 0; i < order.size(); ++i)
    for (size_t j = 0; j < order.size(); ++j) gram(i, j) = 0.5f * h_block(order[i], order[j]);
  return gram;
}

}  // namespace

BlockMasks search_masks(const Recipe& recipe, ConstView block, ConstView r_block, const Matrix* h_block,
                        ThreadPool& pool) {
  const size_t width = block.columns;
  BlockMasks masks;
  masks.weight = Tiles(block.rows, width);
  masks.search = Tiles(block.rows, width);
  const size_t tiles = masks.weight.count();
  const std::vector<float> scale = search_scale(r_block);
  const bool hessian = recipe.salience == Salience::Hessian;
  const std::vector<double> scores = sum_over_tiles(tiles, width, pool, [&](size_t t, double* sums) {
    masks.weight.load(t, block);
    search_matrix(masks.weight.tile(t), scale.data(), hessian, width, masks.search.tile(t), sums);
  });

  // What is left to search: T, as the published programs do, or the weights, as the papers print it.
  const bool squared = hessian && recipe.search_space == SearchSpace::Saliency;
  if (hessian && !squared)
    pool.parallel_for(tiles, [&](size_t t) {
      std::memcpy(masks.search.tile(t), masks.weight.tile(t), width * kTileRows * sizeof(float));
    });

  // Step 1: the columns by score, the rest behind them in their own order.
  const size_t up = std::min(recipe.max_salient, width);
  std::vector<uint32_t> order(width);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  std::sort(order.begin() + long(up), order.end());

  // Step 2: how many of them are salient. At least one always is.
  masks.salient = 1;
  if (up > 2) {
    const std::vector<double> errors = sum_over_tiles(tiles, up, pool, [&](size_t t, double* sums) {
      auto tile = aligned_array<float>(width * kTileRows);
      for (size_t j = 0; j < width; ++j)
        std::memcpy(tile.get() + j * kTileRows, masks.search.tile(t) + order[j] * kTileRows,
                    kTileRows * sizeof(float));
      salient_count_errors(tile.get(), width, up, sums);
    });
    masks.salient = first_minimum(errors, 1);
  }
  std::sort(order.begin(), order.begin() + long(masks.salient));
  std::sort(order.begin() + long(masks.salient), order.end());
  masks.order = order;
  pool.parallel_for((tiles + kBandTiles - 1) / kBandTiles, [&](size_t band) {
    auto scratch = aligned_array<float>(width * kTileRows);
    for (size_t t = band * kBandTiles; t < std::min(tiles, (band + 1) * kBandTiles); ++t) {
      gather_columns(masks.weight, t, order, scratch.get());
      gather_columns(masks.search, t, order, scratch.get());
    }
  });

  if (recipe.method == Method::ArbX) masks.gram = gram_of(*h_block, order);

  const size_t splits = may_split_salient(recipe.method) ? recipe.splits : 1;
  if (may_split_salient(recipe.method) && recipe.column_group_bitmap)
    masks.salient_splits = split_salient(masks.search, masks.salient, splits, pool);
  masks.splits = split_others(recipe, masks, splits, squared, pool);
  return masks;
}

}  // namespace signum
