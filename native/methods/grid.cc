#include "methods/grid.h"

#include <cmath>
#include <limits>

#include "methods/grid_kernels.h"
#include "methods/stored.h"

namespace signum {
namespace {

struct Ranges {
  alignas(64) float least[kTileRows], most[kTileRows];  // least <= 0 <= most, not both 0
};

Ranges ranges_of(const float* weight, size_t width, bool symmetric) {
  Ranges ranges;
  tile_ranges(weight, width, ranges.least, ranges.most);
  for (size_t lane = 0; lane < kTileRows; ++lane) {
    float &least = ranges.least[lane], &most = ranges.most[lane];
    if (symmetric) {
      // As published: a row without a negative weight is not mirrored. Its step is half as large, and what
      // lies above half the range is cut off.
      most = std::max(-least, most);
      if (least < 0) least = -most;
    }
    if (least == 0 && most == 0) {
      least = -1;
      most = 1;
    }
  }
  return ranges;
}

// The ranges times `share` as grids.
TileGrids grids_of(const Ranges& ranges, float share, const Recipe& recipe) {
  const float highest = highest_code(recipe.bits);
  const DType type = recipe.scale_type;
  TileGrids grids;
  for (size_t lane = 0; lane < kTileRows; ++lane) {
    const float least = share * ranges.least[lane], most = share * ranges.most[lane];
    float step = stored_value(type, (most - least) / highest);
    if (!(step > 0)) step = stored_value(type, type == DType::F16 ? 0x1p-24f : 0x1p-126f);  // underflow
    const float zero = recipe.symmetric ? (highest + 1) / 2 : std::nearbyint(-least / step);
    grids.step[lane] = step;
    grids.zero[lane] = std::min(std::max(zero, 0.0f), highest);
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
