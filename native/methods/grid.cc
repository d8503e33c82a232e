#include "methods/grid.h"

#include <algorithm>
#include <limits>

#include "methods/grid_kernels.h"
#include "methods/stored.h"

namespace signum {
namespace {

struct Ranges {
  GridRange rows[kTileRows];
};

Ranges ranges_of(const float* weight, size_t width, bool symmetric) {
  alignas(64) float least[kTileRows], most[kTileRows];
  tile_ranges(weight, width, least, most);
  Ranges ranges;
  for (size_t lane = 0; lane < kTileRows; ++lane)
    ranges.rows[lane] = grid_range(least[lane], most[lane], symmetric);
  return ranges;
}

// The ranges times `share` as grids.
TileGrids grids_of(const Ranges& ranges, float share, const Recipe& recipe) {
  const float highest = highest_code(recipe.bits);
  const DType type = recipe.scale_type;
  TileGrids grids;
  for (size_t lane = 0; lane < kTileRows; ++lane) {
    const GridStep grid = grid_step(ranges.rows[lane], share, highest, recipe.symmetric, least_step(type),
                                    [&](float x) { return stored_value(type, x); });
    grids.step[lane] = grid.step;
    grids.zero[lane] = grid.zero;
  }
  return grids;
}

}  // namespace

TileGrids tile_grids(const float* weight, size_t width, const Recipe& recipe) {
  const Ranges ranges = ranges_of(weight, width, recipe.symmetric);
  TileGrids best = grids_of(ranges, 1, recipe);
  if (!recipe.clip_search) return best;
  alignas(64) float least[kTileRows], error[kTileRows];
  std::fill_n(least, kTileRows, std::numeric_limits<float>::infinity());
  for (int i = 0; i < kClipCandidates; ++i) {
    const TileGrids trial = grids_of(ranges, float(1 - i / kClipParts), recipe);
    grid_error(weight, width, trial, highest_code(recipe.bits), least, error);
    for (size_t lane = 0; lane < kTileRows; ++lane)
      if (error[lane] < least[lane]) {
        least[lane] = error[lane];
        best.step[lane] = trial.step[lane];
        best.zero[lane] = trial.zero[lane];
      }
  }
  return best;
}

}  // namespace signum
