#include "evaluate/comparison.h"

#include <algorithm>
#include <cmath>

#include "model/row_operations.h"

namespace signum {
namespace {

template <class Value>
std::vector<double> each(std::span<const Target> targets, const Value& value) {
  std::vector<double> values(targets.size());
  std::ranges::transform(targets, values.begin(), value);
  return values;
}

double correlation(std::span<const Target> targets, double mean, double reference_mean) {
  double both = 0, squares = 0, reference_squares = 0;
  for (const Target& target : targets) {
    const double a = target.loss - mean, b = target.reference_loss - reference_mean;
    both += a * b;
    squares += a * a;
    reference_squares += b * b;
  }
  return both / std::sqrt(squares * reference_squares);
}

}  // namespace

double divergence(const float* logits, const float* reference, size_t vocabulary) {
  // ln(p_reference / p) of an id is the difference of its logits less that of the two totals.
  return softmax_difference(reference, logits, vocabulary) -
         (log_sum_exp(reference, vocabulary) - log_sum_exp(logits, vocabulary));
}

Target compare_target(const float* logits, const float* reference, size_t vocabulary, uint32_t target) {
  const double total = log_sum_exp(logits, vocabulary), reference_total = log_sum_exp(reference, vocabulary);
  Target result;
  result.loss = total - double(logits[target]);
  result.reference_loss = reference_total - double(reference[target]);
  result.kld = divergence(logits, reference, vocabulary);
  const auto top = [&](const float* row) { return std::max_element(row, row + vocabulary) - row; };
  result.same_top = top(logits) == top(reference);
  return result;
}

Comparison compare(std::span<const Target> targets) {
  const auto delta_p = [](const Target& one) { return std::exp(-one.loss) - std::exp(-one.reference_loss); };
  Comparison result;
  result.kld = distribution(each(targets, [](const Target& one) { return one.kld; }));
  result.delta_p = distribution(each(targets, delta_p));
  const Estimate square =
      estimate(each(targets, [&](const Target& one) { return delta_p(one) * delta_p(one); }));
  result.delta_p_rms.value = std::sqrt(square.value);
  // d sqrt(x) = dx / (2 sqrt(x)); equal models have neither.
  if (square.standard_error)
    result.delta_p_rms.standard_error =
        square.value == 0 ? 0 : *square.standard_error / (2 * result.delta_p_rms.value);
  result.same_top = estimate(each(targets, [](const Target& one) { return double(one.same_top); }));
  result.log_ratio = estimate(each(targets, [](const Target& one) { return one.loss - one.reference_loss; }));
  const double mean = estimate(each(targets, [](const Target& one) { return one.loss; })).value;
  result.correlation = correlation(targets, mean, mean - result.log_ratio.value);
  return result;
}

}  // namespace signum
