#include "methods/mask_search.h"

#include <cmath>
#include <cstring>
#include <numeric>

#include "base/pool.h"
#include "math/quantiles.h"
#include "methods/calibrated_split.h"
#include "methods/search_kernels.h"

namespace signum {
namespace {

constexpr size_t kBandTiles = 4;  // tiles whose sums are added up by one task
constexpr size_t kThresholds = 81;

std::vector<double> probabilities() {
  std::vector<double> p(kThresholds);
  for (size_t i = 0; i < kThresholds; ++i) p[i] = double(10 + i) / 100;  // 0.10, 0.11, ... 0.90
  return p;
}

// Sums task(tile, out[size]) over all tiles, band by band, in an order that depends on the shape only.
template <class Task>
std::vector<double> sum_over_tiles(size_t tiles, size_t size, ThreadPool& pool, const Task& task) {
  const size_t bands = (tiles + kBandTiles - 1) / kBandTiles;
  std::vector<std::vector<double>> partial(bands, std::vector<double>(size, 0.0));
  pool.parallel_for(bands, [&](size_t band) {
    for (size_t t = band * kBandTiles; t < std::min(tiles, (band + 1) * kBandTiles); ++t)
      task(t, partial[band].data());
  });
  std::vector<double> total(size, 0.0);
  for (const auto& part : partial)
    for (size_t i = 0; i < size; ++i) total[i] += part[i];
  return total;
}

size_t first_minimum(const std::vector<double>& errors, size_t begin) {
  size_t best = begin;
  for (size_t i = begin + 1; i < errors.size(); ++i)
    if (errors[i] < errors[best]) best = i;
  return best;
}

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

// Quantiles of |T| over columns [begin, end) of every tile. with_zeros: the other columns count as zeros;
// otherwise zeros are left out.
std::vector<float> thresholds(const Tiles& search, size_t begin, size_t end, bool with_zeros,
                              ThreadPool& pool) {
  const size_t rows = search.rows(), full = rows / kTileRows;
  std::vector<std::span<const float>> parts;
  for (size_t t = 0; t < full; ++t)
    parts.emplace_back(search.tile(t) + begin * kTileRows, (end - begin) * kTileRows);
  std::vector<float> ragged;  // the rows of the last tile that exist
  if (full < search.count()) {
    for (size_t j = begin; j < end; ++j)
      for (size_t lane = 0; lane < search.rows_of(full); ++lane)
        ragged.push_back(search.tile(full)[j * kTileRows + lane]);
    parts.emplace_back(ragged);
  }
  const std::vector<double> p = probabilities();
  if (with_zeros) return absolute_quantiles(parts, (search.width() - (end - begin)) * rows, p, pool);
  std::vector<float> nonzero;
  for (const auto& part : parts)
    for (const float x : part)
      if (x != 0) nonzero.push_back(x);
  const std::span<const float> all(nonzero);
  return absolute_quantiles(std::span(&all, 1), 0, p, pool);
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
  const bool squared = recipe.salience == Salience::Hessian;
  const std::vector<double> scores = sum_over_tiles(tiles, width, pool, [&](size_t t, double* sums) {
    masks.weight.load(t, block);
    search_matrix(masks.weight.tile(t), scale.data(), squared, width, masks.search.tile(t), sums);
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

  // Column-group bitmap: split the salient columns.
  if (may_split_salient(recipe.method) && recipe.column_group_bitmap) {
    const std::vector<float> candidates = thresholds(masks.search, 0, masks.salient, false, pool);
    const std::vector<double> errors = sum_over_tiles(tiles, kThresholds, pool, [&](size_t t, double* sums) {
      salient_split_errors(masks.search.tile(t), masks.salient, candidates.data(), kThresholds, sums);
    });
    masks.salient_threshold = candidates[first_minimum(errors, 0)];
  }

  // Step 3: split the others. The salient part's fit adds the same to every candidate's error, so it is left
  // out, except by arb-x, whose S joins the columns.
  if (masks.salient < width) {
    const std::vector<float> candidates = thresholds(masks.search, masks.salient, width, true, pool);
    const std::vector<double> errors = sum_over_tiles(tiles, kThresholds, pool, [&](size_t t, double* sums) {
      if (recipe.method == Method::ArbX)
        calibrated_split_errors(
            masks.search.tile(t), masks.search.rows_of(t),
            {width, masks.salient, recipe.iterations, masks.gram.data(), candidates.data(), kThresholds},
            sums);
      else
        split_errors(masks.search.tile(t) + masks.salient * kTileRows, width - masks.salient,
                     candidates.data(), kThresholds, squared, sums);
    });
    masks.threshold = candidates[first_minimum(errors, 0)];
  }
  return masks;
}

}  // namespace signum
