#include "math/factor_plan.h"

#include <algorithm>
#include <numeric>

namespace signum {
namespace {

std::vector<uint32_t> descending(const std::vector<float>& diagonal) {
  std::vector<uint32_t> order(diagonal.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return diagonal[a] > diagonal[b]; });
  return order;
}

}  // namespace

FactorPlan plan_factor(std::vector<float> diagonal, const FactorOptions& options) {
  const size_t n = diagonal.size();
  FactorPlan plan;
  plan.dead.assign(n, 0);
  size_t dead = 0;
  for (size_t i = 0; i < n; ++i)
    if (diagonal[i] == 0) {
      diagonal[i] = 1;
      plan.dead[i] = 1;
      ++dead;
    }
  plan.identity = dead == n;
  if (dead == n && n > 0) {  // an input that is never seen: keep the weights, treat all columns alike
    plan.notes.push_back("no calibration input reached this layer: its Hessian was taken as the identity");
    plan.dead.assign(n, 0);
  }

  if (options.descending_order) {
    auto order = std::make_shared<std::vector<uint32_t>>(descending(diagonal));
    std::vector<uint8_t> dead_in_order(n);
    for (size_t i = 0; i < n; ++i) dead_in_order[i] = plan.dead[(*order)[i]];
    plan.dead = std::move(dead_in_order);
    plan.order = std::move(order);
  }

  plan.stored_diagonal.resize(n);
  for (size_t i = 0; i < n; ++i)
    plan.stored_diagonal[i] = plan.dead[i] ? 0 : diagonal[plan.order ? (*plan.order)[i] : i];

  for (const float d : diagonal) plan.mean += d;
  plan.mean /= double(std::max<size_t>(n, 1));
  plan.diagonal = std::move(diagonal);
  return plan;
}

Status climb_damping(double damping, const std::function<bool(bool, double)>& attempt, double* used,
                     std::vector<std::string>* notes) {
  if (attempt(false, damping)) {
    *used = damping;
    return {};
  }
  for (int raise = 0; raise <= 3; ++raise, damping *= 10) {
    if (!attempt(true, damping)) continue;
    *used = damping;
    notes->push_back(raise == 0 ? "the Hessian was factored in F64: F32 was not enough"
                                : "damping was raised to " + std::to_string(damping) +
                                      " of the mean diagonal to factor the Hessian");
    return {};
  }
  return Error{"factor_failed",
               "The Hessian could not be factored, even with the damping raised a thousand times.", ""};
}

}  // namespace signum
