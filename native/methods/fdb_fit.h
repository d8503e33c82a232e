// The scales of one group of fdb: the first step, then least squares and assignment in turns
// (docs/METHODS.md). DB-LLM's authors published no program; the constants here are this project's choice.
#pragma once

#include "methods/fdb_kernels.h"
#include "methods/quantize.h"

namespace signum {

// Steps that the search tries, in units of max|w| / 2: 2/8 to 16/8, of either sign. At 1/4 most weights of a
// wide group are beyond the levels; at 2 the levels are those of {-1, 0, 1} times max|w|.
inline constexpr int kLeastStepEighths = 2, kMostStepEighths = 16;
// Turns of refit and assignment, unless nothing changes before: normal weights need four on average in groups
// of 64, six in groups of 128.
inline constexpr int kFdbRounds = 30;

// Out: scales that `scale_type` holds exactly. More rounds never raise a row's error.
FdbScales fdb_fit(const FdbGroup& group, StepRule rule, DType scale_type, int rounds);

}  // namespace signum
