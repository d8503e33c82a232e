// Where the numbers of an evaluation are made: the CPU (cpu_evaluation.h) or a card. Windows, protocols and
// statistics are evaluate()'s.
#pragma once

#include <functional>
#include <span>

#include "base/error.h"
#include "evaluate/comparison.h"
#include "evaluate/windows.h"
#include "model/model.h"

namespace signum {

class EvaluationCompute {
 public:
  virtual ~EvaluationCompute() = default;
  // All windows through all decoder layers of a model. Called for the model and then, where there is one, for
  // the reference. batch_done: after each decoder layer and sequences_per_batch() windows.
  virtual Status run(const Model& model, const EvaluationWindows& windows,
                     const std::function<void()>& batch_done) = 0;
  // Targets `first` and following, those of sequences_per_batch() windows at most, by the heads of what was
  // run; without a reference only `loss` is filled.
  virtual Status score(const EvaluationWindows& windows, size_t first, std::span<Target> targets) = 0;
  // That the model has taken, 0, or the reference, 1.
  virtual double seconds(size_t which) const = 0;
};

}  // namespace signum
