#include "model/cache.h"

#include "model/architecture.h"

namespace signum {

KeyValueCache::KeyValueCache(const ModelConfig& config, size_t capacity) : capacity_(capacity) {
  const size_t width = width_of(Width::KeyValues, config);
  for (size_t layer = 0; layer < config.layers; ++layer)
    layers_.push_back({Matrix::uninitialized(capacity, width), Matrix::uninitialized(capacity, width)});
}

size_t KeyValueCache::bytes() const {
  size_t numbers = 0;
  for (const Layer& layer : layers_) numbers += layer.keys.size() + layer.values.size();
  return numbers * sizeof(float);
}

}  // namespace signum
