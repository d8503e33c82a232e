// A model that reads on: loaded once where it is mapped, with the keys and values of what it has read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "model/cache.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

class CachedModel {
 public:
  // capacity: of the cache, in tokens. Errors: context_too_long (above the model's context),
  // weights_not_finite, packed_broken.
  static Result<CachedModel> load(std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool);

  const Model& model() const { return *model_; }
  const KeyValueCache& cache() const { return cache_; }
  // Forgets the tokens from `length` on; length <= cache().length().
  void truncate(size_t length) { cache_.truncate(length); }
  // Reads the tokens behind those in the cache: the residual stream after the last layer [tokens, hidden],
  // valid until the next call. At least one token, all below the vocabulary, with room in the cache. Error:
  // weights_not_finite; then the cache is as it was.
  Result<ConstView> read(std::span<const uint32_t> tokens, ThreadPool& pool);
  // Rows of read() -> logits [rows, vocabulary].
  void logits(ConstView hidden, View logits, ThreadPool& pool) const { head_.logits(hidden, logits, pool); }

 private:
  CachedModel(std::shared_ptr<const Model> model, Head head, size_t capacity);

  std::shared_ptr<const Model> model_;
  std::vector<DecoderLayer> layers_;
  Head head_;
  KeyValueCache cache_;
  ForwardBuffers buffers_;
  Matrix hidden_;  // room for the longest read so far
};

}  // namespace signum
