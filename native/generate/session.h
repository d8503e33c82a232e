// A loaded model that answers prompts, one after another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "generate/sampler.h"
#include "generate/token_reader.h"
#include "model/model.h"

namespace signum {

struct GenerationRequest {
  std::vector<uint32_t> tokens;  // the prompt
  size_t max_tokens = 0;         // at least 1
  SamplingOptions sampling;
  std::vector<uint32_t> stop_tokens;
};

// Why an answer ended (docs/PROTOCOL.md).
enum class GenerationEnd : uint8_t { StopToken, Length, Context, Halted };
inline constexpr const char* kGenerationEnds[] = {"stop_token", "length", "context", "halted"};

struct Generation {
  GenerationEnd end = GenerationEnd::Halted;
  size_t tokens = 0;         // told
  size_t reused_tokens = 0;  // of the prompt, that were still in the cache
};

class GenerationSession {
 public:
  // What is told and asked while it goes on.
  struct Listener {
    std::function<void(size_t index, uint32_t token)> token;
    std::function<bool()> halted;  // asked before every token, and now and then while a prompt is read
  };

  // context: tokens that the cache holds; 0: the model's, at most 4096. Errors: those of CachedModel::load.
  static Result<GenerationSession> load(std::shared_ptr<const Model> model, size_t context, ThreadPool& pool);

  // With another reader than the CPU's.
  explicit GenerationSession(std::unique_ptr<TokenReader> reader);

  const Model& model() const { return reader_->model(); }
  size_t context() const { return reader_->capacity(); }
  uint64_t cache_bytes() const { return reader_->cache_bytes(); }
  // The same tokens for any number of threads. Errors: tokens_invalid, context_too_long, sampling_invalid
  // before anything is done; logits_not_finite, those of TokenReader::read(). The session goes on after an
  // error.
  Result<Generation> generate(const GenerationRequest& request, const Listener& listener, ThreadPool& pool);

 private:
  Status check(const GenerationRequest& request) const;
  // Reads the tokens behind those that are held; false: halted before the last of them. last_ then has the
  // last one's logits.
  Result<bool> read(std::span<const uint32_t> tokens, const Listener& listener, ThreadPool& pool);

  std::unique_ptr<TokenReader> reader_;
  std::vector<uint32_t> held_;  // tokens in the cache
  std::vector<float> last_;     // logits [vocabulary]
};

// Tokens of the cache that a context of 0 stands for.
size_t usual_context(const ModelConfig& config);

}  // namespace signum
