// The scales of one group of fdb: the first step, then least squares and assignment in turns
// (docs/METHODS.md). DB-LLM's authors published no program; the constants here are this project's choice.
#pragma once

#include "methods/fdb_kernels.h"
#include "methods/fdb_step.h"
#include "methods/quantize.h"

namespace signum {

// [columns]: what the errors of a column count: the diagonal of H over its mean with step_rule hessian, else
// 1. Columns of a group that calibration never reached count alike. diagonal: of the factor; read only with
// step_rule hessian.
std::vector<float> fdb_importance(const Recipe& recipe, const std::vector<float>* diagonal, size_t columns,
                                  size_t group);

// Out: scales that `scale_type` holds exactly. More rounds never raise a row's error.
FdbScales fdb_fit(const FdbGroup& group, StepRule rule, DType scale_type, int rounds);

}  // namespace signum
