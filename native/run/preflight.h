// Whether a run can end, asked before it begins: bytes on disk, bytes in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "calibrate/tokens.h"
#include "methods/quantize.h"
#include "model/model.h"
#include "run/run_recipe.h"

namespace signum {

// Bytes of the linear when packed; where salient columns are searched for, the most there can be.
uint64_t packed_bytes(const Recipe& recipe, size_t rows, size_t columns);
// Bytes that the shards from `first_layer` on will take at most, headers included.
uint64_t shards_bytes(const Model& model, const RunRecipe& recipe, size_t first_layer);

// The most factors that are held at once: linears of one input may ask for several.
size_t most_factors(const Model& model, const RunRecipe& recipe);

// plan null: no calibration.
uint64_t memory_needed(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                       uint64_t activation_limit);
// How many models' activations are kept: with a correction the original one's beside the quantized one's.
uint64_t streams(const Model& model, const RunRecipe& recipe);
// Bytes of one model's activations, all sequences.
uint64_t activation_bytes(const Model& model, const CalibrationPlan& plan);

Status check_disk(const std::string& folder, uint64_t needed, uint64_t free);  // disk_full
Status check_memory(uint64_t needed, uint64_t available);                      // memory_short

}  // namespace signum
