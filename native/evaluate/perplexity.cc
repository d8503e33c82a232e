#include "evaluate/perplexity.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/pool.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "model/row_operations.h"

namespace signum {
namespace {

// Tokens whose logits exist at once: 128 KB each for a vocabulary of 32,000.
constexpr size_t kHeadTokens = 256;

Status check(const Model& model, std::span<const uint32_t> tokens, size_t window) {
  const ModelConfig& config = model.config();
  if (window < 2) return Error{"job_invalid", "A window must have at least 2 tokens.", ""};
  if (window > config.context)
    return Error{"context_too_long",
                 "Windows of " + std::to_string(window) + " tokens are longer than the model's " +
                     std::to_string(config.context) + " positions.",
                 ""};
  if (tokens.size() < window)
    return Error{"evaluation_too_short",
                 "The evaluation text has " + std::to_string(tokens.size()) +
                     " tokens, but one window needs " + std::to_string(window) + ".",
                 ""};
  return check_tokens(model, tokens);
}

// Cross entropy of every target in the batch, in nats: losses [sequences, window - 1].
void batch_losses(const Head& head, ConstView hidden, std::span<const uint32_t> tokens, size_t window,
                  double* losses, Matrix& logits, ThreadPool& pool) {
  for (size_t first = 0; first < hidden.rows; first += kHeadTokens) {
    const size_t rows = std::min(kHeadTokens, hidden.rows - first);
    head.logits(hidden.block(first, 0, rows, hidden.columns),
                logits.view().block(0, 0, rows, logits.columns()), pool);
    pool.parallel_for(rows, [&](size_t i) {
      const size_t row = first + i, sequence = row / window, position = row % window;
      if (position + 1 == window) return;  // its target is not in the window
      losses[sequence * (window - 1) + position] =
          log_sum_exp(logits.row(i), logits.columns()) - double(logits(i, tokens[row + 1]));
    });
  }
}

Perplexity summarize(const std::vector<double>& losses, size_t window) {
  Perplexity result;
  const size_t targets = window - 1;
  result.window = window;
  result.windows = losses.size() / targets;
  result.tokens = losses.size();
  double mean = 0;
  for (size_t w = 0; w < result.windows; ++w) {
    double sum = 0;
    for (size_t i = 0; i < targets; ++i) sum += losses[w * targets + i];
    result.window_losses.push_back(sum / double(targets));
    mean += result.window_losses.back();
  }
  mean /= double(result.windows);
  result.perplexity = std::exp(mean);
  if (result.windows > 1) {
    double squares = 0;
    for (const double loss : result.window_losses) squares += (loss - mean) * (loss - mean);
    const double deviation = std::sqrt(squares / double(result.windows - 1));
    result.standard_error = result.perplexity * deviation / std::sqrt(double(result.windows));
  }
  return result;
}

}  // namespace

Result<Perplexity> evaluate_perplexity(const Model& model, std::span<const uint32_t> tokens,
                                       const EvaluationOptions& options, ThreadPool& pool) {
  const size_t window = options.window;
  SIGNUM_TRY(check(model, tokens, window));
  const size_t windows = tokens.size() / window, step = sequences_per_batch(window);
  const size_t batches = (windows + step - 1) / step, layers = model.config().layers;
  SIGNUM_TAKE(Activations activations, Activations::embedded(model, tokens.first(windows * window), window,
                                                             options.activations, pool));

  size_t done = 0;
  const auto for_batches = [&](const auto& work) {
    for (size_t first = 0; first < windows; first += step) {
      work(first, std::min(step, windows - first));
      if (options.progress) options.progress(++done, (layers + 1) * batches);
    }
  };
  {
    ForwardBuffers buffers;
    for (size_t index = 0; index < layers; ++index) {
      SIGNUM_TAKE(const DecoderLayer layer, DecoderLayer::load(model, index, pool));
      for_batches([&](size_t first, size_t count) {
        const View batch = activations.batch(first, count);
        layer.forward(batch, window, batch, buffers, pool);
      });
    }
  }
  SIGNUM_TAKE(const Head head, Head::load(model, pool));
  Matrix logits(kHeadTokens, head.vocabulary());
  std::vector<double> losses(windows * (window - 1));
  for_batches([&](size_t first, size_t count) {
    batch_losses(head, activations.batch(first, count), tokens.subspan(first * window, count * window),
                 window, losses.data() + first * (window - 1), logits, pool);
  });
  return summarize(losses, window);
}

}  // namespace signum
