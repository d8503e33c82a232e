// The scales of one group of fdb: the first step, then least squares and assignment in turns
// (docs/METHODS.md). DB-LLM's authors published no program; the constants here are this project's choice.
#pragma once

#include "methods/fdb_kernels.h"
#include "methods/fdb_step.h"
#include "methods/quantize.h"

namespace signum {

// Out: scales that `scale_type` holds exactly. More rounds never raise a row's error.
FdbScales fdb_fit(const FdbGroup& group, StepRule rule, DType scale_type, int rounds);

}  // namespace signum
