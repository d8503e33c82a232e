// Perplexity by the papers' protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/activations.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

// Protocol `papers`: consecutive windows without overlap, the remainder dropped; each window starts at
// position 0 and predicts its window - 1 shifted targets.
struct Perplexity {
  double perplexity = 0;  // exp(mean of window_losses); may be infinite or NaN for a broken model
  std::optional<double>
      standard_error;  // perplexity * sd(window_losses) / sqrt(windows); absent for one window
  size_t tokens = 0;   // targets counted: windows * (window - 1)
  size_t windows = 0;
  size_t window = 0;
  std::vector<double> window_losses;  // mean cross entropy of each window, in nats
};

struct EvaluationOptions {
  size_t window = 0;  // >= 2, <= the model's context
  ActivationLimit activations;
  // done of total steps: one per decoder layer and batch of windows, then one per batch at the head.
  std::function<void(size_t done, size_t total)> progress;
};

// Layer by layer over all windows, so that every weight is read or decoded once.
// Errors: job_invalid (window < 2), context_too_long, evaluation_too_short (fewer tokens than one window),
// tokens_invalid (an id outside the vocabulary), those of Activations and of reading weights.
Result<Perplexity> evaluate_perplexity(const Model& model, std::span<const uint32_t> tokens,
                                       const EvaluationOptions& options, ThreadPool& pool);

}  // namespace signum
