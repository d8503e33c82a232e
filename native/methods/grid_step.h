// From the range of some weights to their integer grid: the arithmetic that the CPU and a card share. Ranges
// and steps as GPTQ's published quantizer makes them (arXiv 2210.17323).
#pragma once

#include <cmath>

#include "base/both.h"

namespace signum {

// clip_search tries the range times 1 - i / 100, i = 0 .. 79.
inline constexpr int kClipCandidates = 80;
inline constexpr double kClipParts = 100;

struct GridRange {
  float least, most;  // least <= 0 <= most, not both 0
};

// least, most: the smallest and the largest weight, and 0.
SIGNUM_BOTH inline GridRange grid_range(float least, float most, bool symmetric) {
  if (symmetric) {
    // As published: a row without a negative weight is not mirrored. Its step is half as large, and what
    // lies above half the range is cut off.
    most = -least < most ? most : -least;
    if (least < 0) least = -most;
  }
  if (least == 0 && most == 0) return {-1, 1};
  return {least, most};
}

// Code c is the value step (c - zero).
struct GridStep {
  float step, zero;
};

// The range times `share` as a grid with codes up to `highest`. stored(x): x as the storage type holds it,
// whose smallest step is least_step.
template <class Stored>
SIGNUM_BOTH inline GridStep grid_step(GridRange range, float share, float highest, bool symmetric,
                                      float least_step, const Stored& stored) {
  const float least = share * range.least, most = share * range.most;
  float step = stored((most - least) / highest);
  if (!(step > 0)) step = least_step;  // underflow
  float zero = symmetric ? (highest + 1) / 2 : nearbyintf(-least / step);
  zero = zero < 0 ? 0 : zero;
  return {step, highest < zero ? highest : zero};
}

}  // namespace signum
