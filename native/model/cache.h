// Keys and values of the tokens that a model has read, so that the next ones need not read them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/matrix.h"
#include "model/config.h"

namespace signum {

// What a cache of so many tokens takes when it is full.
uint64_t cache_bytes(const ModelConfig& config, size_t capacity);

// F32 [capacity, kv_heads * head_dim] twice for every decoder layer, positions applied. Memory is touched
// when rows are written.
class KeyValueCache {
 public:
  KeyValueCache(const ModelConfig& config, size_t capacity);

  size_t capacity() const { return capacity_; }
  // Tokens in it.
  size_t length() const { return length_; }
  // After all layers have written their rows; length() + tokens <= capacity().
  void grow(size_t tokens) { length_ += tokens; }
  // Forgets the tokens from `length` on; length <= length().
  void truncate(size_t length) { length_ = length; }
  View keys(size_t layer) { return layers_[layer].keys.view(); }
  View values(size_t layer) { return layers_[layer].values.view(); }
  // Of a full one.
  uint64_t bytes() const { return bytes_; }

 private:
  struct Layer {
    Matrix keys, values;
  };
  std::vector<Layer> layers_;
  size_t capacity_ = 0;
  size_t length_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace signum
