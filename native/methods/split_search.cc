#include "methods/split_search.h"

#include <cmath>
#include <limits>
#include <span>

#include "base/pool.h"
#include "math/quantiles.h"
#include "methods/arb_kernels.h"
#include "methods/calibrated_split.h"
#include "methods/rank_one.h"
#include "methods/search_kernels.h"
#include "methods/tile_sums.h"

namespace signum {
namespace {

constexpr size_t kThresholds = 81;
constexpr float kNoBound = std::numeric_limits<float>::infinity();

std::vector<double> probabilities() {
  std::vector<double> p(kThresholds);
  for (size_t i = 0; i < kThresholds; ++i) p[i] = double(10 + i) / 100;  // 0.10, 0.11, ... 0.90
  return p;
}

// Columns [begin, end) of every tile, the weights with |T| < below.
struct Part {
  size_t begin, end;
  float below;
};

float bound_of(const Splits& splits) { return splits.count > 0 ? splits.at[splits.count - 1] : kNoBound; }

// Quantiles of |T| over a part. with_zeros: the block's other weights count as zeros; otherwise zeros are
// left out.
std::vector<float> thresholds(const Tiles& search, const Part& part, bool with_zeros, ThreadPool& pool) {
  const size_t rows = search.rows(), full = rows / kTileRows;
  std::vector<std::span<const float>> parts;
  for (size_t t = 0; t < full; ++t)
    parts.emplace_back(search.tile(t) + part.begin * kTileRows, (part.end - part.begin) * kTileRows);
  std::vector<float> ragged;  // the rows of the last tile that exist
  if (full < search.count()) {
    for (size_t j = part.begin; j < part.end; ++j)
      for (size_t lane = 0; lane < search.rows_of(full); ++lane)
        ragged.push_back(search.tile(full)[j * kTileRows + lane]);
    parts.emplace_back(ragged);
  }
  const std::vector<double> p = probabilities();
  if (with_zeros && part.below == kNoBound)
    return absolute_quantiles(parts, (search.width() - (part.end - part.begin)) * rows, p, pool);
  std::vector<float> inside;
  for (const auto& values : parts)
    for (const float x : values)
      if (std::fabs(x) < part.below && (with_zeros || x != 0)) inside.push_back(x);
  const std::span<const float> all(inside);
  return absolute_quantiles(std::span(&all, 1), with_zeros ? search.width() * rows - inside.size() : 0, p,
                            pool);
}

// The squared error of what the groups but the last get in the search of the passes after theirs: in arb and
// arb-x their refined fit, in arb-rc the start of theirs.
double fitted_error(const Recipe& recipe, const BlockMasks& masks, const Splits& splits, ThreadPool& pool) {
  if (splits.count == 0) return 0;
  const size_t first = masks.salient, columns = masks.search.width() - first;
  const Tiles& search = masks.search;
  const float bound = bound_of(splits);
  RankOneFit fit;
  if (recipe.method == Method::ArbRc)
    fit = fit_rank_one({&search, &search, splits, first, columns, 1, 0}, pool);
  return sum_over_tiles(search.count(), 1, pool, [&](size_t t, double* sum) {
    const float* x = search.tile(t) + first * kTileRows;
    auto residual = aligned_array<float>(columns * kTileRows);
    if (recipe.method != Method::ArbRc)
      arb_split_residual(x, columns, splits, recipe.iterations, residual.get());
    for (size_t j = 0; j < columns; ++j)
      for (size_t lane = 0; lane < search.rows_of(t); ++lane) {
        const size_t at = j * kTileRows + lane;
        const float size = std::fabs(x[at]);
        if (size < bound) continue;  // the last group
        if (recipe.method == Method::ArbRc) {
          size_t group = 0;
          while (size < splits.at[group]) ++group;
          const float row = fit.row_scale[0][(t * splits.groups() + group) * kTileRows + lane];
          residual[at] = size == 0 ? 0 : size - row * fit.column_scale[0][group * columns + j];
        }
        *sum += double(residual[at]) * double(residual[at]);
      }
  })[0];
}

}  // namespace

Splits split_salient(const Tiles& search, size_t salient, size_t passes, ThreadPool& pool) {
  const auto errors_of = [&](const std::vector<float>& candidates, float below) {
    return sum_over_tiles(search.count(), candidates.size(), pool, [&](size_t t, double* sums) {
      salient_split_errors(search.tile(t), salient, candidates.data(), candidates.size(), below, sums);
    });
  };
  Splits splits;
  bool improves = true;  // once a pass improves nothing, none after it does
  for (; splits.count < passes; ++splits.count) {
    const float below = bound_of(splits);
    const std::vector<float> candidates = thresholds(search, {0, salient, below}, false, pool);
    if (improves) {
      const std::vector<double> errors = errors_of(candidates, below);
      const size_t best = first_minimum(errors, 0);
      splits.at[splits.count] = candidates[best];
      // The groups before keep their fits, so what counts is whether two groups beat one.
      improves = splits.count == 0 || errors[best] < errors_of({0.0f}, below)[0];
    }
    if (!improves) splits.at[splits.count] = candidates[0];
  }
  return splits;
}

Splits split_others(const Recipe& recipe, const BlockMasks& masks, size_t passes, bool squared,
                    ThreadPool& pool) {
  const Tiles& search = masks.search;
  const size_t width = search.width(), first = masks.salient;
  Splits splits;
  if (first == width) {
    splits.count = passes;
    return splits;
  }
  const FixedGram others_gram =
      recipe.method == Method::ArbX
          ? fixed_gram(masks.gram.data() + first * width + first, width - first, width)
          : FixedGram();
  // whole: errors that can be compared from pass to pass. Otherwise the salient part's fit, which adds the
  // same to all of them, is left out, except by arb-x, whose S joins the columns.
  const auto errors_of = [&](const std::vector<float>& candidates, bool whole) {
    const double fitted =
        whole && recipe.method != Method::ArbX ? fitted_error(recipe, masks, splits, pool) : 0;
    std::vector<double> errors =
        sum_over_tiles(search.count(), candidates.size(), pool, [&](size_t t, double* sums) {
          const float* others = search.tile(t) + first * kTileRows;
          if (recipe.method == Method::ArbX)
            calibrated_split_errors(search.tile(t), search.rows_of(t),
                                    {width, first, recipe.iterations, masks.gram.data(), others_gram,
                                     candidates.data(), candidates.size(), splits, squared, whole},
                                    sums);
          else if (whole)
            split_errors_below(others, width - first, candidates.data(), candidates.size(), bound_of(splits),
                               sums);
          else
            split_errors(others, width - first, candidates.data(), candidates.size(), squared, sums);
        });
    for (double& error : errors) error += fitted;
    return errors;
  };
  double least = 0;  // of all passes so far: a later pass that does not beat it takes the lowest quantile
  for (size_t pass = 0; pass < passes; ++pass) {
    const std::vector<float> candidates = thresholds(search, {first, width, bound_of(splits)}, true, pool);
    const std::vector<double> errors = errors_of(candidates, pass > 0);
    const size_t best = first_minimum(errors, 0);
    float at = candidates[best];
    if (pass == 0 && passes > 1)
      least = errors_of({at}, true)[0];
    else if (pass > 0 && errors[best] < least)
      least = errors[best];
    else if (pass > 0)
      at = candidates[0];
    splits.at[splits.count++] = at;
  }
  return splits;
}

}  // namespace signum
