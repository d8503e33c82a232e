// What a session reads tokens with: a model and the keys and values of what it has read, on the CPU
// (cached_model.h) or on a card (cuda/model/generation.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"

namespace signum {

class Model;
class ThreadPool;

class TokenReader {
 public:
  virtual ~TokenReader() = default;
  virtual const Model& model() const = 0;
  // Tokens that the cache holds when it is full, and those that are in it.
  virtual size_t capacity() const = 0;
  virtual size_t length() const = 0;
  // Of the full cache.
  virtual uint64_t cache_bytes() const = 0;
  // Forgets the tokens from `length` on; length <= length().
  virtual void truncate(size_t length) = 0;
  // Reads the tokens behind those in the cache: at least one, all below the vocabulary, with room in the
  // cache. logits [vocabulary] gets the last one's; empty: they are not wanted. After an error
  // (weights_not_finite; device_failed, device_memory_short) the cache is as it was.
  virtual Status read(std::span<const uint32_t> tokens, std::span<float> logits, ThreadPool& pool) = 0;
};

}  // namespace signum
