// Evaluation on the card, with the windows, protocols and statistics of native/evaluate. Of logits those of
// one block of rows exist at a time, and only what was measured comes back, once a batch of windows.
#pragma once

#include <memory>

#include "cuda/card.h"
#include "evaluate/evaluate.h"
#include "evaluate/evaluation_compute.h"

namespace signum::cuda {

// Of each model's logits at once.
inline constexpr uint64_t kLogitBytes = uint64_t(128) << 20;

class DeviceEvaluation : public EvaluationCompute {
 public:
  // models: how many will be run. Their activations may take half of what is free on the card, then what
  // options.activations says of the host.
  DeviceEvaluation(Card card, size_t models, const EvaluationOptions& options, ThreadPool& pool,
                   uint64_t logit_bytes = kLogitBytes);
  ~DeviceEvaluation() override;
  Status run(const Model& model, const EvaluationWindows& windows,
             const std::function<void()>& batch_done) override;
  Status score(const EvaluationWindows& windows, size_t first, std::span<Target> targets) override;
  double seconds(size_t which) const override;

 private:
  struct Pass;
  Pass run_pass(const Model& model, const EvaluationWindows& windows,
                const std::function<void()>& batch_done);

  Card card_;
  const EvaluationOptions& options_;
  ThreadPool& pool_;
  const uint64_t logit_bytes_;
  const uint64_t activation_bytes_;  // on the card, of each model
  std::vector<std::unique_ptr<Pass>> passes_;
};

// As signum::evaluate(), with device_memory_short and device_failed among its errors.
Result<Evaluation> evaluate(Card card, const Model& model, const Model* reference,
                            std::span<const uint32_t> tokens, const EvaluationOptions& options,
                            ThreadPool& pool);

// As signum::logits().
Result<Matrix> logits(Card card, const Model& model, std::span<const uint32_t> tokens, ThreadPool& pool);

}  // namespace signum::cuda
