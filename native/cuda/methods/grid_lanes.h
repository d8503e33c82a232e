// The integer grids of rtn, gptq and pb-llm, made by one warp (methods/grid.h), for kernels. Candidates of
// the clipping search lie in lanes, and each adds up its errors in the order of the columns: the CPU's sums.
#pragma once

#include "cuda/methods/rounding.h"
#include "methods/grid.h"

namespace signum::cuda {

// What a kernel needs to know of the recipe.
struct GridRule {
  float highest, least_step;
  DType type;
  bool symmetric, clip_search;

  static GridRule of(const Recipe& recipe) {
    return {highest_code(recipe.bits), signum::least_step(recipe.scale_type), recipe.scale_type,
            recipe.symmetric, recipe.clip_search};
  }
};

__device__ inline float grid_code(float weight, GridStep grid, float highest) {
  return fminf(fmaxf(rintf(weight / grid.step) + grid.zero, 0.0f), highest);
}
__device__ inline float grid_value(float code, GridStep grid) { return grid.step * (code - grid.zero); }

__device__ inline GridStep grid_of(const GridRule& rule, GridRange range, float share) {
  return grid_step(range, share, rule.highest, rule.symmetric, rule.least_step,
                   [&](float x) { return as_stored(rule.type, x); });
}

// |x|^2.4 as methods/grid_kernels.cc makes it, to the same bytes.
__device__ inline float power_24(float x) {
  const float a = x * x;
  float z = bits_float(unsigned(int(1277923859.0f - float(int(float_bits(a))) * 0.2f)));
  float square = z * z;
  float h = 1.0f - a * (square * square) * z;
  z = z + z * (h * (0.2f + h * (0.12f + h * 0.088f)));
  square = z * z;
  h = 1.0f - a * (square * square) * z;
  z = z + z * (h * 0.2f);
  square = z * z;
  return a * (a * (square * square));
}

// The range of all lanes' weights and 0.
__device__ inline GridRange warp_range(const GridRule& rule, float least, float most) {
  for (unsigned mask = 16; mask > 0; mask /= 2) {
    least = fminf(least, warp_xor(least, mask));
    most = fmaxf(most, warp_xor(most, mask));
  }
  return grid_range(least, most, rule.symmetric);
}

// The best grid for a range; each(add) calls add(weight) for every column in order, in all lanes.
template <class Each>
__device__ inline GridStep warp_grid(const GridRule& rule, GridRange range, unsigned lane, const Each& each) {
  if (!rule.clip_search) return grid_of(rule, range, 1);
  constexpr int kOwn = (kClipCandidates + 31) / 32;
  const auto share = [](int i) { return float(1 - i / kClipParts); };
  GridStep trial[kOwn];
  float sum[kOwn];
  for (int k = 0; k < kOwn; ++k) {
    trial[k] = grid_of(rule, range, share(k * 32 + int(lane)));
    sum[k] = 0;
  }
  each([&](float w) {
    for (int k = 0; k < kOwn; ++k)
      sum[k] = sum[k] + power_24(grid_value(grid_code(w, trial[k], rule.highest), trial[k]) - w);
  });
  // The first of the least errors; the whole range where none is finite.
  float least = HUGE_VALF;
  int best = 0;
  for (int k = 0; k < kOwn; ++k) {
    const int i = k * 32 + int(lane);
    if (i < kClipCandidates && sum[k] < least) {
      least = sum[k];
      best = i;
    }
  }
  for (unsigned mask = 16; mask > 0; mask /= 2) {
    const float other = warp_xor(least, mask);
    const int its = warp_xor(best, mask);
    if (other < least || (other == least && its < best)) {
      least = other;
      best = its;
    }
  }
  return grid_of(rule, range, least < HUGE_VALF ? share(best) : 1);
}

}  // namespace signum::cuda
