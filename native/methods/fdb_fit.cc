#include "methods/fdb_fit.h"

#include <cmath>

#include "methods/fdb_step.h"
#include "methods/stored.h"

namespace signum {
namespace {

// a1 = 2 s, a2 = -s with s of either sign; the first of the best, max|w| / 2 before all others.
FdbScales first_scales(const FdbGroup& group, StepRule rule, DType scale_type) {
  float largest[kTileRows] = {};
  for (size_t j = 0; j < group.width; ++j)
    for (size_t lane = 0; lane < kTileRows; ++lane)
      largest[lane] = std::max(largest[lane], std::fabs(group.weight[j * kTileRows + lane]));
  FdbScales best;
  alignas(64) float least[kTileRows], error[kTileRows];
  const auto consider = [&](float steps, bool anyway) {
    FdbScales trial;
    for (size_t lane = 0; lane < kTileRows; ++lane) {
      const float step = steps * 0.5f * largest[lane];
      trial.first[lane] = stored_value(scale_type, 0 + 2 * step);  // 0 +: a zero group has +0 for both
      trial.second[lane] = stored_value(scale_type, 0 - step);
    }
    fdb_error(group, trial, error);
    for (size_t lane = 0; lane < kTileRows; ++lane)
      if (anyway || error[lane] < least[lane]) {
        least[lane] = error[lane];
        best.first[lane] = trial.first[lane];
        best.second[lane] = trial.second[lane];
      }
  };
  consider(1, true);
  consider(-1, false);
  if (rule != StepRule::Max)
    for (int eighths = kLeastStepEighths; eighths <= kMostStepEighths; ++eighths)
      for (const float sign : {1.0f, -1.0f}) consider(sign * float(eighths) / 8, false);
  return best;
}

}  // namespace

FdbScales fdb_fit(const FdbGroup& group, StepRule rule, DType scale_type, int rounds) {
  FdbScales scales = first_scales(group, rule, scale_type);
  FdbSums sums, trial_sums;
  fdb_sums(group, scales, sums);
  bool better = true;
  for (int round = 0; round < rounds && better; ++round) {
    FdbScales trial;
    for (size_t lane = 0; lane < kTileRows; ++lane) {
      double a1 = scales.first[lane], a2 = scales.second[lane];
      fdb_refit(sums.ones1[lane], sums.ones2[lane], sums.both[lane], sums.with1[lane], sums.with2[lane], a1,
                a2);
      trial.first[lane] = stored_value(scale_type, float(a1));
      trial.second[lane] = stored_value(scale_type, float(a2));
    }
    fdb_sums(group, trial, trial_sums);
    // Rounding to the storage type may cost more than the refit brought: then the row is done.
    better = false;
    for (size_t lane = 0; lane < kTileRows; ++lane) {
      if (!(trial_sums.error[lane] < sums.error[lane])) continue;
      better = true;
      scales.first[lane] = trial.first[lane];
      scales.second[lane] = trial.second[lane];
      for (const auto part : {&FdbSums::error, &FdbSums::ones1, &FdbSums::ones2, &FdbSums::both,
                              &FdbSums::with1, &FdbSums::with2})
        (sums.*part)[lane] = (trial_sums.*part)[lane];
    }
  }
  return scales;
}

}  // namespace signum
