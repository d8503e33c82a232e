// The numerical half of a run, one decoder layer at a time. The run (quantize_run.h) keeps order, files,
// progress and reports; what stands behind this header does the sums: the CPU (cpu_compute.h) or a card.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "calibrate/hessian.h"
#include "methods/quantize.h"
#include "model/activations.h"
#include "model/model.h"
#include "run/run_recipe.h"

namespace signum {

class ThreadPool;
struct CalibrationPlan;

// A linear in its packed form and what that loses. The error of the weights is against the original ones,
// that of the outputs against what was fitted: the weight itself or, with a correction, its target.
struct ComputedLinear {
  PackedLinear packed;
  LinearErrors errors;  // output: NaN without calibration
};

// The linears of one layer. Those of one input follow each other: its factors live until leave(). index:
// place of the linear among those that are asked for.
class LinearCompute {
 public:
  virtual ~LinearCompute() = default;
  // Whether there are Hessians.
  virtual bool calibrated() const = 0;
  // Diagonal of the input's Hessian, undamped. [columns]
  virtual Result<std::vector<float>> diagonal(LinearInput input) = 0;
  virtual bool has_factor(const FactorOptions& options) const = 0;
  // Makes and keeps it; the factor's notes. Errors: those of factorize().
  virtual Result<std::vector<std::string>> factor(LinearInput input, const FactorOptions& options) = 0;
  // Uses the factor of these options where the recipe needs one; from then on the layer computes with what
  // the packed form decodes to. Errors: those of quantize() in methods/.
  virtual Result<ComputedLinear> quantize(const Recipe& recipe, const LinearInfo& info, size_t index) = 0;
  // The input's last linear is done: its Hessian and factors may go.
  virtual void leave(LinearInput input) = 0;
};

// A whole run's. Errors are those of model/ and calibrate/; of a card also device_memory_short and
// device_failed.
class LayerCompute : public LinearCompute {
 public:
  // The residual stream of all windows at layer 0. tokens [sequences, length]. paired: the original model is
  // followed as well, for a correction. Not called without calibration; then there are only weights.
  virtual Status embed(std::span<const uint32_t> tokens, size_t length, bool paired) = 0;
  // Takes up a layer with its original weights; what was of the one before goes.
  virtual Status load(size_t layer) = 0;
  // Hessians of all inputs, with the weights as they are.
  virtual Status collect(const SequenceProgress& progress) = 0;
  // Of one input, with the linears before it quantized; and what its linears' targets need.
  virtual Status collect_paired(LinearInput input, const SequenceProgress& progress) = 0;
  // A linear that an earlier process has finished: its weight becomes what it decodes to.
  virtual Status replay(const PackedLinear& packed, size_t index) = 0;
  // Activations become the layer's outputs, with its weights as they are; those of the original model, with
  // its own.
  virtual Status advance(const SequenceProgress& progress) = 0;
  virtual Status advance_original(const SequenceProgress& progress) = 0;
  // This layer will be wanted next: its file may be read beside the work. Does not wait.
  virtual void read_ahead(size_t /*layer*/) {}
};

// Where a run computes.
class Backend {
 public:
  virtual ~Backend() = default;
  // What of it the bytes of a run depend on, beyond program, BLAS kernels and SIMD target: "cpu", or the card
  // with its kind of arithmetic. Part of the fingerprint.
  virtual std::string fingerprint() const = 0;
  // Whether it can do what the recipe asks for. Error recipe_invalid.
  virtual Status check_recipe(const Model& /*model*/, const RunRecipe& /*recipe*/) { return {}; }
  // Whether the run fits in memory. plan null: no calibration. Errors: memory_short; device_memory_short.
  virtual Status check_memory(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                              uint64_t activation_limit) = 0;
  // Whether activations go to a file in the run's folder.
  virtual bool activations_in_file(const Model& model, const RunRecipe& recipe, const CalibrationPlan& plan,
                                   uint64_t activation_limit) = 0;
  // Whether the host's cores are idle while it computes, so that files may be written beside the work.
  virtual bool leaves_host_idle() const = 0;
  // For one run; the model outlives it. limit: of activations on the host.
  virtual Result<std::unique_ptr<LayerCompute>> compute(const Model& model, const RunRecipe& recipe,
                                                        const CalibrationPlan* plan,
                                                        const ActivationLimit& limit, ThreadPool& pool) = 0;
};

}  // namespace signum
