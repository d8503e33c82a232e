// The two ends of a model: tokens to the residual stream, and the residual stream to logits.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/matrix.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

// tokens_invalid when an id is not below the vocabulary.
Status check_tokens(const Model& model, std::span<const uint32_t> tokens);

// out [tokens, hidden] = the tokens' rows of the embedding table. Tokens must be below the vocabulary. Error:
// weights_not_finite.
Status embed(const Model& model, std::span<const uint32_t> tokens, View out, ThreadPool& pool);

// Final norm and head, in F32: vocabulary * hidden * 4 bytes.
class Head {
 public:
  static Result<Head> load(const Model& model, ThreadPool& pool);  // Error: weights_not_finite

  size_t vocabulary() const { return table_.rows(); }
  // hidden [tokens, hidden] -> logits [tokens, vocabulary]. The caller chooses how many tokens at once.
  void logits(ConstView hidden, View logits, ThreadPool& pool) const;

 private:
  Head() = default;
  Matrix norm_;   // [1, hidden]
  Matrix table_;  // [vocabulary, hidden]
  double epsilon_ = 0;
};

}  // namespace signum
