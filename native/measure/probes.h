// How much each linear matters: the predictions of models of which one linear is quantized, against those of
// the original one.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "calibrate/hessian.h"
#include "evaluate/statistics.h"
#include "model/activations.h"

namespace signum {

// The residual streams of all these models over a few sequences: a model is followed from the linear in which
// it differs, so one pass over the layers serves all.
class Probes {
 public:
  // tokens [sequences * length]. Errors: those of Activations::embedded.
  static Result<Probes> start(const Model& model, std::span<const uint32_t> tokens, size_t length,
                              const ActivationLimit& limit, ThreadPool& pool);

  // Sequences that pass() moves through a layer, and how many of them are done.
  size_t passes(size_t linears) const;
  // Moves all streams past the layer, and begins those in which one of its linears has another weight:
  // `decoded`, by place in the layer, is swapped in and out. Error: calibration_not_finite.
  Status pass(DecoderLayer& layer, std::vector<Matrix>& decoded, ForwardBuffers& buffers, ThreadPool& pool,
              const std::function<Status(size_t done)>& progress);

  // By linear, in the order in which they came: the Kullback-Leibler divergence from the original model's
  // predictions, over all tokens. done counts tokens.
  Result<std::vector<Estimate>> divergences(const Model& model, ThreadPool& pool,
                                            const std::function<Status(size_t done)>& progress) const;
  size_t tokens() const { return original_.sequences() * original_.length(); }

  // Bytes of all streams of a model over this many tokens.
  static uint64_t bytes(const Model& model, size_t tokens);

 private:
  Probes(Activations original, ActivationLimit limit)
      : original_(std::move(original)), limit_(std::move(limit)) {}

  Activations original_;
  ActivationLimit limit_;
  std::vector<Activations> streams_;  // by linear
};

}  // namespace signum
