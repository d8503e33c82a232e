// Which tokens the models read in an evaluation, and which they are scored on: the two named protocols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "model/model.h"

namespace signum {

// papers: windows one after another, the remainder dropped; every token of a window but its first is scored
// (the evaluation of GPTQ, BiLLM, ARB-LLM and PB-LLM's programs).
// llama.cpp: the same windows, the first token of each replaced by BOS where the model has one, and only
// tokens n/2 + 1 to n - 1 scored (llama-perplexity); at least two windows of text.
enum class Protocol : uint8_t { Papers, LlamaCpp };
inline constexpr const char* kProtocolNames[] = {"papers", "llama.cpp"};

struct WindowOptions {
  Protocol protocol = Protocol::Papers;
  size_t window = 0;            // tokens; papers: >= 2, llama.cpp: >= 3; <= the model's context
  std::optional<uint32_t> bos;  // llama.cpp only
};

struct EvaluationWindows {
  std::vector<uint32_t> ids;  // [count, window] as the models read them
  size_t window = 0;
  size_t count = 0;
  size_t first = 0;    // position whose logits are scored first
  size_t targets = 0;  // scored positions of a window

  size_t scored() const { return count * targets; }
  // Row of `ids` whose logits predict target t, 0 <= t < scored(); the target is the id after it.
  size_t row(size_t t) const { return t / targets * window + first + t % targets; }
  uint32_t target(size_t t) const { return ids[row(t) + 1]; }
};

// Errors: job_invalid (window too short, BOS with `papers`), context_too_long, evaluation_too_short,
// tokens_invalid (an id outside the vocabulary).
Result<EvaluationWindows> evaluation_windows(const Model& model, std::span<const uint32_t> tokens,
                                             const WindowOptions& options);

}  // namespace signum
