// An evaluation's numbers on the CPU.
#pragma once

#include <memory>
#include <vector>

#include "evaluate/evaluate.h"
#include "evaluate/evaluation_compute.h"

namespace signum {

class CpuEvaluation : public EvaluationCompute {
 public:
  CpuEvaluation(const EvaluationOptions& options, ThreadPool& pool);
  ~CpuEvaluation() override;
  Status run(const Model& model, const EvaluationWindows& windows,
             const std::function<void()>& batch_done) override;
  Status score(const EvaluationWindows& windows, size_t first, std::span<Target> targets) override;
  double seconds(size_t which) const override;

 private:
  class Pass;
  void score_block(const EvaluationWindows& windows, size_t first, std::span<Target> targets);
  const EvaluationOptions& options_;
  ThreadPool& pool_;
  std::vector<std::unique_ptr<Pass>> passes_;
};

}  // namespace signum
