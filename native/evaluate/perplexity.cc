#include "evaluate/perplexity.h"

#include <cmath>

#include "evaluate/statistics.h"

namespace signum {

Perplexity perplexity_of(std::span<const double> losses, size_t targets, Protocol protocol) {
  Perplexity result;
  for (size_t first = 0; first < losses.size(); first += targets)
    result.window_losses.push_back(estimate(losses.subspan(first, targets)).value);
  const Estimate by_window = estimate(result.window_losses);
  const Estimate mean = protocol == Protocol::Papers ? by_window : estimate(losses);
  result.perplexity = std::exp(mean.value);
  if (mean.standard_error) result.standard_error = result.perplexity * *mean.standard_error;
  return result;
}

}  // namespace signum
