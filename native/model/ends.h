// The two ends of a model: tokens to the residual stream, and the residual stream to logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/matrix.h"
#include "model/model.h"
#include "model/norm.h"

namespace signum {

class ThreadPool;

// tokens_invalid when an id is not below the vocabulary.
Status check_tokens(const Model& model, std::span<const uint32_t> tokens);

// out [tokens, hidden] = the tokens' rows of the embedding table, scaled or projected where the family does
// so, and learned positions: token i has position first + i % length. Tokens must be below the vocabulary,
// positions below the context. Error: weights_not_finite.
Status embed(const Model& model, std::span<const uint32_t> tokens, size_t length, View out, ThreadPool& pool,
             size_t first = 0);

// Final norm and head. Decoded, the head takes vocabulary * hidden * 4 bytes; mapped, the model must outlive
// it.
class Head {
 public:
  // Errors: weights_not_finite, packed_broken.
  static Result<Head> load(const Model& model, ThreadPool& pool, WeightForm form = WeightForm::Decoded);

  size_t vocabulary() const { return mapped_ ? mapped_->rows() : table_.rows(); }
  // hidden [tokens, hidden] -> logits [tokens, vocabulary]. The caller chooses how many tokens at once.
  void logits(ConstView hidden, View logits, ThreadPool& pool) const;

 private:
  Head() = default;
  Norm norm_;
  Matrix project_out_;  // [embedding_width, hidden]; empty: the widths are the same
  Matrix table_;        // [vocabulary, embedding_width]; empty: mapped
  std::optional<MappedMatrix> mapped_;
  float cap_ = 0;  // of the logits; 0: none
};

}  // namespace signum
