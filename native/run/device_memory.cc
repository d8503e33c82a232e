#include "run/device_memory.h"

#include <algorithm>

#include "model/decoder_layer.h"
#include "run/preflight.h"

namespace signum {
namespace {

constexpr uint64_t kProgram = uint64_t(512) << 20;  // with what a driver and its libraries take

}  // namespace

MemoryQuestion memory_question(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan) {
  MemoryQuestion question;
  for (const LinearInfo& linear : model.linears_of(0)) {
    const TensorView* stored = model.find(linear.name + ".weight");
    question.linears.push_back({.rows = linear.rows,
                                .columns = linear.columns,
                                .input = size_t(linear.input),
                                .stored_bytes = stored ? dtype_bytes(stored->dtype) : sizeof(float)});
  }
  for (const LinearInfo& linear : model.linears()) {
    const Recipe* its = recipe.of(linear.name);
    if (!its) continue;
    if (needs_hessian(*its))
      question.kept_block = std::max(question.kept_block, factor_options(*its).keep_blocks);
    if (has_salient_columns(its->method))
      question.search_block = std::max(question.search_block, its->blocksize);
  }
  question.hidden = model.config().hidden;
  // On a card the MLP's activations lie where the attention's numbers were, and need not fit there.
  const ModelConfig& config = model.config();
  const size_t attention = width_of(Width::QueriesKeysValues, config) + width_of(Width::Queries, config);
  question.forward_floats =
      forward_floats(config) + (config.intermediate > attention ? config.intermediate - attention : 0);
  question.factors = most_factors(model, recipe);
  if (plan) {
    question.paired = recipe.corrects(model.linears());
    question.sequences = plan->sequences;
    question.length = plan->length;
    question.batch = sequences_per_batch(plan->length);
  }
  return question;
}

uint64_t host_memory_needed(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                            ActivationPlace activations) {
  uint64_t stored = 0, packed = 0, largest = 0;
  for (size_t layer = 0; layer < model.config().layers; ++layer) {
    uint64_t its_stored = 0, its_packed = 0;
    for (const LinearInfo& linear : model.linears_of(layer)) {
      const TensorView* tensor = model.find(linear.name + ".weight");
      its_stored += tensor ? tensor->bytes.size() : 0;
      if (const Recipe* its = recipe.of(linear.name))
        its_packed += packed_bytes(*its, linear.rows, linear.columns);
      largest = std::max(largest, uint64_t(linear.rows) * linear.columns * sizeof(float));
    }
    stored = std::max(stored, its_stored);
    packed = std::max(packed, its_packed);
  }
  // One packed layer is made while another one is written.
  const uint64_t bytes = kProgram + 2 * packed;
  if (!plan) return bytes + largest;  // linears come one by one, in F32
  const bool here = activations == ActivationPlace::Pinned;
  return bytes + streams(model, recipe) * (stored + (here ? activation_bytes(model, *plan) : 0));
}

}  // namespace signum
