#include "generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "math/finite.h"
#include "model/row_operations.h"

namespace signum {

Status check_sampling(const SamplingOptions& options) {
  const auto refused = [](const char* key, const char* range) {
    return Error{"sampling_invalid", std::string(key) + " must be " + range + ".", ""};
  };
  // Written so that NaN is refused too.
  if (!(options.temperature >= 0 && options.temperature <= 100))
    return refused("temperature", "a number from 0 to 100");
  if (!(options.top_p > 0 && options.top_p <= 1)) return refused("top_p", "a number above 0, at most 1");
  return {};
}

// Few candidates are ever asked for: the next ones are picked out of those that are left and sorted, twice as
// many each time.
const Sampler::Candidate& Sampler::ranked(size_t place) {
  if (place >= sorted_) {
    const auto before = [](const Candidate& a, const Candidate& b) {
      return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    };
    const size_t more = std::min(candidates_.size(), std::max<size_t>(64, 2 * sorted_));
    const auto begin = candidates_.begin(), from = begin + long(sorted_), to = begin + long(more);
    if (to != candidates_.end()) std::nth_element(from, to, candidates_.end(), before);
    std::sort(from, to, before);
    sorted_ = more;
  }
  return candidates_[place];
}

uint32_t Sampler::pick(std::span<const float> logits, double u) {
  const size_t count = logits.size();
  const float largest = *std::max_element(logits.begin(), logits.end());
  candidates_.resize(count);
  weights_.resize(count);
  sorted_ = 0;
  for (size_t i = 0; i < count; ++i) {
    candidates_[i] = {logits[i], uint32_t(i)};
    weights_[i] = float((double(logits[i]) - double(largest)) / options_.temperature);
  }
  softmax(weights_.data(), count, count);

  size_t kept = options_.top_k == 0 ? count : std::min(options_.top_k, count);
  double whole = 0;
  if (kept == count)
    for (const float one : weights_) whole += double(one);
  else
    for (size_t i = 0; i < kept; ++i) whole += weight(ranked(i));
  if (options_.top_p < 1) {
    double sum = 0;
    size_t i = 0;
    while (i < kept && sum < options_.top_p * whole) sum += weight(ranked(i++));
    kept = i, whole = sum;
  }
  double sum = 0;
  size_t last = 0;  // of those with any weight, where rounding lets none of them be reached
  for (size_t i = 0; i < kept; ++i) {
    const double one = weight(ranked(i));
    if (one > 0) last = i;
    if ((sum += one) > u * whole) return ranked(i).id;
  }
  return ranked(last).id;
}

Result<uint32_t> Sampler::draw(std::span<const float> logits) {
  const double u = random_.random();
  if (!all_finite(logits.data(), logits.size()))
    return Error{"logits_not_finite", "The logits of the next token hold NaN or infinity.", ""};
  if (options_.temperature == 0)
    return uint32_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
  return pick(logits, u);
}

}  // namespace signum
