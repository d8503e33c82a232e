// One token from logits, by the rules of docs/PROTOCOL.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/mt19937.h"

namespace signum {

struct SamplingOptions {
  double temperature = 0;  // 0 to 100; 0: the largest logit, the lowest id among equals
  size_t top_k = 0;        // 0: all
  double top_p = 1;        // above 0; 1: all
  uint64_t seed = 0;       // of CPython's random
};
// sampling_invalid names what is out of range.
Status check_sampling(const SamplingOptions& options);

class Sampler {
 public:
  // options: have passed check_sampling().
  explicit Sampler(const SamplingOptions& options) : options_(options), random_(options.seed) {}

  // The next token. Every call takes one random number, whatever the logits are. Error: logits_not_finite.
  Result<uint32_t> draw(std::span<const float> logits);

 private:
  struct Candidate {
    float logit;
    uint32_t id;
  };
  // The candidate at this place, largest logit first; those before it must have been asked for.
  const Candidate& ranked(size_t place);
  double weight(const Candidate& candidate) const { return double(weights_[candidate.id]); }
  uint32_t pick(std::span<const float> logits, double u);

  SamplingOptions options_;
  PythonRandom random_;
  std::vector<Candidate> candidates_;  // the first sorted_ of them are in order, and before all others
  size_t sorted_ = 0;
  std::vector<float> weights_;  // by id: exp((logit - largest) / temperature), to a common factor
};

}  // namespace signum
