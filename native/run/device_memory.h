// The question that native/device/memory_plan.h answers, asked for a model and a recipe.
#pragma once

#include "calibrate/tokens.h"
#include "device/memory_plan.h"
#include "model/model.h"
#include "run/run_recipe.h"

namespace signum {

// plan null: no calibration. Without card_bytes, pinned_bytes and reserved_bytes.
MemoryQuestion memory_question(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan);

}  // namespace signum
