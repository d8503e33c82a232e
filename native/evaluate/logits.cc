#include "evaluate/logits.h"

#include <string>

#include "model/ends.h"

namespace signum {

Status check_sequence(const Model& model, std::span<const uint32_t> tokens) {
  if (tokens.empty()) return Error{"tokens_invalid", "There are no tokens.", ""};
  if (tokens.size() > model.config().context)
    return Error{"context_too_long",
                 std::to_string(tokens.size()) + " tokens are more than the model's " +
                     std::to_string(model.config().context) + " positions.",
                 ""};
  return check_tokens(model, tokens);
}

Result<Matrix> logits(const Model& model, std::span<const uint32_t> tokens, ThreadPool& pool,
                      WeightForm form) {
  const ModelConfig& config = model.config();
  SIGNUM_TRY(check_sequence(model, tokens));
  Matrix hidden(tokens.size(), config.hidden);
  SIGNUM_TRY(embed(model, tokens, tokens.size(), hidden.view(), pool));
  ForwardBuffers buffers;
  for (size_t index = 0; index < config.layers; ++index) {
    SIGNUM_TAKE(const DecoderLayer layer, DecoderLayer::load(model, index, pool, form));
    layer.forward(hidden.view(), tokens.size(), hidden.view(), buffers, pool);
  }
  SIGNUM_TAKE(const Head head, Head::load(model, pool, form));
  Matrix out(tokens.size(), head.vocabulary());
  head.logits(hidden.view(), out.view(), pool);
  return out;
}

}  // namespace signum
