// What the losses of a model come to.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "evaluate/windows.h"

namespace signum {

struct Perplexity {
  double perplexity = 0;  // exp(mean loss); may be infinite or NaN for a broken model
  // papers: perplexity * sd(window_losses) / sqrt(windows), absent for one window. llama.cpp: by target, as
  // its tool, perplexity * sqrt(variance of the losses / (targets - 1)), absent for one target.
  std::optional<double> standard_error;
  std::vector<double> window_losses;  // mean loss of each window, in nats
};

// losses [windows, targets], in nats.
Perplexity perplexity_of(std::span<const double> losses, size_t targets, Protocol protocol);

}  // namespace signum
