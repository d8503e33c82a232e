// How far a model's predictions are from a reference's, target by target: the statistics that llama.cpp's
// perplexity tool prints with --kl-divergence, of unrounded logits (the tool stores those of the base model
// in 16 bits and leaves out tokens below e^-16).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "evaluate/statistics.h"

namespace signum {

struct Target {
  double loss = 0;            // -ln p(target), nats
  double reference_loss = 0;  // -ln p_reference(target)
  double kld = 0;             // sum over the vocabulary of p_reference ln(p_reference / p)
  bool same_top = false;      // both give the highest logit to the same id; the first of equals counts
};

// logits, reference [vocabulary] of one position. NaN where either holds no finite number.
Target compare_target(const float* logits, const float* reference, size_t vocabulary, uint32_t target);

// The kld of compare_target alone.
double divergence(const float* logits, const float* reference, size_t vocabulary);

struct Comparison {
  Distribution kld;
  Distribution delta_p;    // p(target) - p_reference(target)
  Estimate delta_p_rms;    // its error by propagation from that of the mean square
  Estimate same_top;       // share of the targets
  Estimate log_ratio;      // ln(perplexity / perplexity of the reference), error of paired losses
  double correlation = 0;  // of the two losses; NaN where one of them does not vary
};

// All errors by target. targets >= 1.
Comparison compare(std::span<const Target> targets);

}  // namespace signum
