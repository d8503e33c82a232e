// The question that native/device/memory_plan.h answers, asked for a model and a recipe.
#pragma once

#include "calibrate/tokens.h"
#include "device/memory_plan.h"
#include "model/model.h"
#include "run/run_recipe.h"

namespace signum {

// plan null: no calibration. Without card_bytes, pinned_bytes and reserved_bytes.
MemoryQuestion memory_question(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan);

// Bytes of the computer's memory that the same run takes beside the card: the program and the driver, a layer
// as it is stored on its way to the card, packed layers on their way to the disk, and the activations where
// they lie there. Far less than on the CPU (run/preflight.h).
uint64_t host_memory_needed(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                            ActivationPlace activations);

}  // namespace signum
