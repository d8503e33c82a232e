#include "run/preflight.h"

#include <algorithm>

#include "methods/salient_mask.h"
#include "methods/salient_weights.h"
#include "model/decoder_layer.h"

namespace signum {
namespace {

constexpr uint64_t kFloat = sizeof(float);
constexpr uint64_t kHeader = uint64_t(64) << 10;   // of one shard, with room to spare
constexpr uint64_t kProcess = uint64_t(64) << 20;  // code, buffers, allocator

}  // namespace

size_t most_factors(const Model& model, const RunRecipe& recipe) {
  size_t most = 0;
  for (size_t layer = 0; layer < model.config().layers; ++layer) {
    const auto linears = model.linears_of(layer);
    for (size_t factors : factors_by_input(recipes_of(recipe, linears), linears))
      most = std::max(most, factors);
  }
  return most;
}

uint64_t packed_bytes(const Recipe& recipe, size_t rows, size_t columns) {
  Layout layout;
  layout.method = recipe.method;
  layout.rows = rows;
  layout.columns = columns;
  layout.scale_type = recipe.scale_type;
  layout.blocksize = recipe.blocksize;
  layout.bits = recipe.bits;
  layout.group = recipe.group_columns(columns);
  layout.symmetric = recipe.symmetric;
  layout.column_group_bitmap = recipe.column_group_bitmap;
  layout.splits = recipe.splits;
  layout.salient_columns = std::min(columns, layout.blocks() * recipe.max_salient);
  layout.second_columns = std::min(columns, size_t(recipe.second_plane * double(columns)) + 1);
  if (recipe.third_plane > 0)
    layout.third_columns = std::min(columns, size_t(recipe.third_plane * double(columns)) + 1);
  layout.column_scales = recipe.column_scales;
  layout.salient_bits = recipe.bits;
  layout.salient_weights = salient_of_linear(rows, columns, layout.group, recipe.salient_share);
  layout.mask_low_bits = choose_mask_low_bits(rows, columns, layout.salient_weights);
  uint64_t bytes = recipe.descending_order ? columns * sizeof(uint32_t) : 0;
  for (const TensorRule& rule : tensor_rules(layout)) {
    uint64_t tensor = dtype_bytes(rule.dtype);
    for (size_t side : rule.shape) tensor *= side;
    bytes += tensor;
  }
  return bytes;
}

uint64_t shards_bytes(const Model& model, const RunRecipe& recipe, size_t first_layer) {
  uint64_t bytes = 0;
  for (size_t layer = first_layer; layer <= model.config().layers; ++layer) {
    bytes += kHeader;
    for (const TensorView* tensor : model.other_tensors(layer)) bytes += tensor->bytes.size();
    if (layer == model.config().layers) break;
    for (const LinearInfo& linear : model.linears_of(layer)) {
      const Recipe* its = recipe.of(linear.name);
      bytes += its ? packed_bytes(*its, linear.rows, linear.columns)
                   : model.find(linear.name + ".weight")->bytes.size();
    }
  }
  return bytes;
}

uint64_t streams(const Model& model, const RunRecipe& recipe) {
  return recipe.corrects(model.linears()) ? 2 : 1;
}

uint64_t activation_bytes(const Model& model, const CalibrationPlan& plan) {
  return uint64_t(plan.sequences) * plan.length * model.config().hidden * kFloat;
}

// The largest moment: one layer in F32, all its Hessians, and for its largest linear the factor (F64 while it
// is made) and the method's copies of the weight.
uint64_t memory_needed(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                       uint64_t activation_limit) {
  uint64_t layer = 0, largest = 0, widest = 0;
  for (const LinearInfo& linear : model.linears_of(0)) {
    const uint64_t weights = uint64_t(linear.rows) * linear.columns;
    layer += weights;
    largest = std::max(largest, weights);
    widest = std::max<uint64_t>(widest, linear.columns);
  }
  uint64_t bytes = kProcess + 5 * largest * kFloat;
  if (!plan) return bytes;
  bytes += layer * kFloat;
  for (size_t input = 0; input < kLinearInputs; ++input) {
    const uint64_t width = model.input_width(LinearInput(input));
    bytes += width * width * kFloat;
  }
  if (const uint64_t factors = most_factors(model, recipe))
    bytes += widest * widest * (factors * kFloat + sizeof(double));
  const uint64_t tokens = uint64_t(sequences_per_batch(plan->length)) * plan->length;
  bytes += tokens * forward_floats(model.config()) * kFloat;
  const uint64_t activations = activation_bytes(model, *plan);
  if (recipe.corrects(
          model.linears())) {  // the other model's layer, what two inputs have in common, copies of both
    bytes += (layer + 2 * widest * widest + 2 * tokens * (model.config().hidden + widest)) * kFloat;
  }
  return bytes + (activations <= activation_limit ? streams(model, recipe) * activations : 0);
}

Status check_disk(const std::string& folder, uint64_t needed, uint64_t free) {
  if (needed <= free) return {};
  return Error{"disk_full",
               "The run needs " + std::to_string(needed) + " bytes in " + folder + ", " +
                   std::to_string(free) + " are free.",
               ""};
}

Status check_memory(uint64_t needed, uint64_t available) {
  if (needed <= available) return {};
  return Error{"memory_short",
               "The run needs " + std::to_string(needed) + " bytes of memory, " + std::to_string(available) +
                   " are there.",
               ""};
}

}  // namespace signum
