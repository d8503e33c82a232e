#include "evaluate/windows.h"

#include <string>

#include "model/ends.h"

namespace signum {
namespace {

Status check(const Model& model, std::span<const uint32_t> tokens, const WindowOptions& options) {
  const ModelConfig& config = model.config();
  const size_t window = options.window;
  const bool papers = options.protocol == Protocol::Papers;
  const size_t least = papers ? 2 : 3, windows = papers ? 1 : 2;
  if (window < least)
    return Error{"job_invalid", "A window must have at least " + std::to_string(least) + " tokens.", ""};
  if (papers && options.bos) return Error{"job_invalid", "The protocol `papers` puts no BOS in.", ""};
  if (window > config.context)
    return Error{"context_too_long",
                 "Windows of " + std::to_string(window) + " tokens are longer than the model's " +
                     std::to_string(config.context) + " positions.",
                 ""};
  if (tokens.size() / windows < window)
    return Error{"evaluation_too_short",
                 "The evaluation text has " + std::to_string(tokens.size()) + " tokens, but " +
                     (papers ? "one window needs " : "two windows need ") + std::to_string(windows * window) +
                     ".",
                 ""};
  return {};
}

}  // namespace

Result<EvaluationWindows> evaluation_windows(const Model& model, std::span<const uint32_t> tokens,
                                             const WindowOptions& options) {
  SIGNUM_TRY(check(model, tokens, options));
  SIGNUM_TRY(check_tokens(model, tokens));
  if (options.bos) SIGNUM_TRY(check_tokens(model, std::span(&*options.bos, 1)));
  EvaluationWindows windows;
  windows.window = options.window;
  windows.count = tokens.size() / options.window;
  windows.first = options.protocol == Protocol::Papers ? 0 : options.window / 2;
  windows.targets = options.window - 1 - windows.first;
  windows.ids.assign(tokens.begin(), tokens.begin() + long(windows.count * options.window));
  if (options.bos)
    for (size_t w = 0; w < windows.count; ++w) windows.ids[w * options.window] = *options.bos;
  return windows;
}

}  // namespace signum
