// A model that reads on: loaded once where it is mapped, with the keys and values of what it has read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "generate/token_reader.h"
#include "model/cache.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

// Error context_too_long: a cache of so many tokens is more than the model has positions for.
Status check_capacity(const ModelConfig& config, size_t capacity);

class CachedModel final : public TokenReader {
 public:
  // capacity: of the cache, in tokens. Errors: context_too_long (above the model's context),
  // weights_not_finite, packed_broken.
  static Result<CachedModel> load(std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool);

  const Model& model() const override { return *model_; }
  const KeyValueCache& cache() const { return cache_; }
  size_t capacity() const override { return cache_.capacity(); }
  size_t length() const override { return cache_.length(); }
  uint64_t cache_bytes() const override { return cache_.bytes(); }
  void truncate(size_t length) override { cache_.truncate(length); }
  Status read(std::span<const uint32_t> tokens, std::span<float> logits, ThreadPool& pool) override;
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
