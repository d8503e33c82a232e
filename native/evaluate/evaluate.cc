#include "evaluate/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "base/pool.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "model/row_operations.h"

namespace signum {
namespace {

// Rows whose logits exist at once: 128 KB each for a vocabulary of 32,000.
constexpr size_t kBlockRows = 256;

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Windows in batches that go through a layer together, and how far all of them are.
class Batches {
 public:
  Batches(const EvaluationWindows& windows, size_t passes, const EvaluationOptions& options)
      : count_(windows.count), step_(sequences_per_batch(windows.window)), progress_(options.progress) {
    total_ = passes * ((count_ + step_ - 1) / step_);
  }
  // work(first window, windows)
  template <class Work>
  void each(const Work& work) {
    for (size_t first = 0; first < count_; first += step_) {
      work(first, std::min(step_, count_ - first));
      if (progress_) progress_(++done_, total_);
    }
  }

 private:
  size_t count_, step_, total_ = 0, done_ = 0;
  const std::function<void(size_t, size_t)>& progress_;
};

// One of the two models on its way: the residual stream of all windows, then the head.
class Pass {
 public:
  // Through all decoder layers.
  static Result<Pass> run(const Model& model, const EvaluationWindows& windows, Batches& batches,
                          const EvaluationOptions& options, ThreadPool& pool) {
    const auto began = Clock::now();
    SIGNUM_TAKE(Activations activations,
                Activations::embedded(model, windows.ids, windows.window, options.activations, pool));
    ForwardBuffers buffers;
    for (size_t index = 0; index < model.config().layers; ++index) {
      SIGNUM_TAKE(const DecoderLayer layer, DecoderLayer::load(model, index, pool, options.form));
      batches.each([&](size_t first, size_t count) {
        const View batch = activations.batch(first, count);
        layer.forward(batch, windows.window, batch, buffers, pool);
      });
    }
    SIGNUM_TAKE(Head head, Head::load(model, pool, options.form));
    return Pass(std::move(activations), std::move(head), since(began));
  }

  // Logits of the targets from `first` on; rows as many as targets.
  const Matrix& logits(const EvaluationWindows& windows, size_t first, size_t count, ThreadPool& pool) {
    const auto began = Clock::now();
    const ConstView hidden = std::as_const(activations_).batch(0, windows.count);
    for (size_t i = 0; i < count; ++i)
      std::memcpy(rows_.row(i), hidden.row(windows.row(first + i)), hidden.columns * sizeof(float));
    head_.logits(rows_.view().block(0, 0, count, rows_.columns()),
                 logits_.view().block(0, 0, count, logits_.columns()), pool);
    seconds_ += since(began);
    return logits_;
  }
  double seconds() const { return seconds_; }

 private:
  Pass(Activations activations, Head head, double seconds)
      : activations_(std::move(activations)),
        head_(std::move(head)),
        rows_(kBlockRows, activations_.hidden()),
        logits_(kBlockRows, head_.vocabulary()),
        seconds_(seconds) {}

  Activations activations_;
  Head head_;
  Matrix rows_;    // [kBlockRows, hidden]
  Matrix logits_;  // [kBlockRows, vocabulary]
  double seconds_;
};

Status check_reference(const Model& model, const Model& reference) {
  const size_t ours = model.config().vocabulary, theirs = reference.config().vocabulary;
  if (ours == theirs) return {};
  return Error{"reference_mismatch",
               "The model has a vocabulary of " + std::to_string(ours) + " and the reference one of " +
                   std::to_string(theirs) + ": only models over the same ids can be compared.",
               ""};
}

// Targets first to first + count - 1.
void score(Pass& model, Pass* reference, const EvaluationWindows& windows, size_t first, size_t count,
           std::vector<Target>& targets, ThreadPool& pool) {
  const Matrix& logits = model.logits(windows, first, count, pool);
  const Matrix* base = reference ? &reference->logits(windows, first, count, pool) : nullptr;
  pool.parallel_for(count, [&](size_t i) {
    const uint32_t next = windows.ids[windows.row(first + i) + 1];
    if (base)
      targets[first + i] = compare_target(logits.row(i), base->row(i), logits.columns(), next);
    else
      targets[first + i].loss = log_sum_exp(logits.row(i), logits.columns()) - double(logits(i, next));
  });
}

Perplexity perplexity_by(double Target::*loss, const Evaluation& evaluation, Protocol protocol) {
  std::vector<double> losses(evaluation.targets.size());
  std::ranges::transform(evaluation.targets, losses.begin(), loss);
  return perplexity_of(losses, evaluation.windows.targets, protocol);
}

}  // namespace

Result<Evaluation> evaluate(const Model& model, const Model* reference, std::span<const uint32_t> tokens,
                            const EvaluationOptions& options, ThreadPool& pool) {
  Evaluation result;
  SIGNUM_TAKE(result.windows, evaluation_windows(model, tokens, options.windows));
  if (reference) {
    SIGNUM_TRY(check_reference(model, *reference));
    const auto same = evaluation_windows(*reference, tokens, options.windows);
    if (!same.ok()) return same.error();
  }
  const EvaluationWindows& windows = result.windows;
  const size_t layers = model.config().layers + (reference ? reference->config().layers : 0);
  Batches batches(windows, layers + 1, options);
  SIGNUM_TAKE(Pass pass, Pass::run(model, windows, batches, options, pool));
  std::optional<Pass> base;
  if (reference) {
    SIGNUM_TAKE(base, Pass::run(*reference, windows, batches, options, pool));
  }
  result.targets.resize(windows.scored());
  batches.each([&](size_t first_window, size_t count) {
    const size_t end = (first_window + count) * windows.targets;
    for (size_t first = first_window * windows.targets; first < end; first += kBlockRows)
      score(pass, base ? &*base : nullptr, windows, first, std::min(kBlockRows, end - first), result.targets,
            pool);
  });
  const Protocol protocol = options.windows.protocol;
  result.model = perplexity_by(&Target::loss, result, protocol);
  result.seconds = pass.seconds();
  if (base)
    result.reference = {.model = perplexity_by(&Target::reference_loss, result, protocol),
                        .seconds = base->seconds(),
                        .comparison = compare(result.targets)};
  return result;
}

}  // namespace signum
