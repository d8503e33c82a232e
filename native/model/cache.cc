#include "model/cache.h"

#include "model/architecture.h"

namespace signum {

uint64_t cache_bytes(const ModelConfig& config, size_t capacity) {
  return uint64_t(2) * config.layers * capacity * width_of(Width::KeyValues, config) * sizeof(float);
}

KeyValueCache::KeyValueCache(const ModelConfig& config, size_t capacity)
    : capacity_(capacity), bytes_(cache_bytes(config, capacity)) {
  const size_t width = width_of(Width::KeyValues, config);
  for (size_t layer = 0; layer < config.layers; ++layer)
    layers_.push_back({Matrix::uninitialized(capacity, width), Matrix::uninitialized(capacity, width)});
}

}  // namespace signum
