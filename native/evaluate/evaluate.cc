#include "evaluate/evaluate.h"

#include <algorithm>
#include <string>

#include "evaluate/cpu_evaluation.h"
#include "model/decoder_layer.h"

namespace signum {
namespace {

Status check_reference(const Model& model, const Model& reference) {
  const size_t ours = model.config().vocabulary, theirs = reference.config().vocabulary;
  if (ours == theirs) return {};
  return Error{"reference_mismatch",
               "The model has a vocabulary of " + std::to_string(ours) + " and the reference one of " +
                   std::to_string(theirs) + ": only models over the same ids can be compared.",
               ""};
}

Perplexity perplexity_by(double Target::*loss, const Evaluation& evaluation, Protocol protocol) {
  std::vector<double> losses(evaluation.targets.size());
  std::ranges::transform(evaluation.targets, losses.begin(), loss);
  return perplexity_of(losses, evaluation.windows.targets, protocol);
}

}  // namespace

Result<Evaluation> evaluate(const Model& model, const Model* reference, std::span<const uint32_t> tokens,
                            const EvaluationOptions& options, EvaluationCompute& compute) {
  Evaluation result;
  SIGNUM_TAKE(result.windows, evaluation_windows(model, tokens, options.windows));
  if (reference) {
    SIGNUM_TRY(check_reference(model, *reference));
    const auto same = evaluation_windows(*reference, tokens, options.windows);
    if (!same.ok()) return same.error();
  }
  const EvaluationWindows& windows = result.windows;
  const size_t layers = model.config().layers + (reference ? reference->config().layers : 0);
  // Windows that go through a layer together.
  const size_t step = sequences_per_batch(windows.window);
  const size_t total = (layers + 1) * ((windows.count + step - 1) / step);
  size_t done = 0;
  const auto batch_done = [&] {
    if (options.progress) options.progress(++done, total);
  };
  SIGNUM_TRY(compute.run(model, windows, batch_done));
  if (reference) SIGNUM_TRY(compute.run(*reference, windows, batch_done));
  result.targets.resize(windows.scored());
  for (size_t window = 0; window < windows.count; window += step) {
    const size_t first = window * windows.targets;
    const size_t end = std::min(windows.count, window + step) * windows.targets;
    SIGNUM_TRY(compute.score(windows, first, std::span(result.targets).subspan(first, end - first)));
    batch_done();
  }
  const Protocol protocol = options.windows.protocol;
  result.model = perplexity_by(&Target::loss, result, protocol);
  result.seconds = compute.seconds(0);
  if (reference)
    result.reference = {.model = perplexity_by(&Target::reference_loss, result, protocol),
                        .seconds = compute.seconds(1),
                        .comparison = compare(result.targets)};
  return result;
}

Result<Evaluation> evaluate(const Model& model, const Model* reference, std::span<const uint32_t> tokens,
                            const EvaluationOptions& options, ThreadPool& pool) {
  CpuEvaluation compute(options, pool);
  return evaluate(model, reference, tokens, options, compute);
}

}  // namespace signum
