// A run's sums on the card: run/layer_compute.h's other end.
#pragma once

#include <string>

#include "cuda/card.h"
#include "device/memory_plan.h"
#include "run/layer_compute.h"

namespace signum::cuda {

class DeviceBackend : public Backend {
 public:
  // precision: its name in a job. libraries: Blas::library_name(), as it stands in fingerprints.
  DeviceBackend(Card card, std::string precision, std::string libraries)
      : card_(card), precision_(std::move(precision)), libraries_(std::move(libraries)) {}

  std::string fingerprint() const override;
  Status check_recipe(const Model& model, const RunRecipe& recipe) override;
  Status check_memory(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                      uint64_t activation_limit) override;
  bool activations_in_file(const Model& model, const RunRecipe& recipe, const CalibrationPlan& plan,
                           uint64_t activation_limit) override;
  bool leaves_host_idle() const override { return true; }
  Result<std::unique_ptr<LayerCompute>> compute(const Model& model, const RunRecipe& recipe,
                                                const CalibrationPlan* plan, const ActivationLimit& limit,
                                                ThreadPool& pool) override;

 private:
  MemoryPlan plan_for(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                      uint64_t activation_limit) const;

  Card card_;
  std::string precision_, libraries_;
};

}  // namespace signum::cuda
