#include "generate/cached_model.h"

#include <string>

namespace signum {

CachedModel::CachedModel(std::shared_ptr<const Model> model, Head head, size_t capacity)
    : model_(std::move(model)), head_(std::move(head)), cache_(model_->config(), capacity) {}

Result<CachedModel> CachedModel::load(std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool) {
  const ModelConfig& config = model->config();
  if (capacity > config.context)
    return Error{"context_too_long",
                 "A cache of " + std::to_string(capacity) + " tokens is more than the model's " +
                     std::to_string(config.context) + " positions.",
                 ""};
  SIGNUM_TAKE(Head head, Head::load(*model, pool, WeightForm::Mapped));
  CachedModel loaded(std::move(model), std::move(head), capacity);
  for (size_t index = 0; index < loaded.model().config().layers; ++index) {
    SIGNUM_TAKE(DecoderLayer layer, DecoderLayer::load(loaded.model(), index, pool, WeightForm::Mapped));
    loaded.layers_.push_back(std::move(layer));
  }
  return loaded;
}

Result<ConstView> CachedModel::read(std::span<const uint32_t> tokens, ThreadPool& pool) {
  const size_t width = model_->config().hidden;
  if (hidden_.rows() < tokens.size()) hidden_ = Matrix::uninitialized(tokens.size(), width);
  const View hidden = hidden_.view().block(0, 0, tokens.size(), width);
  SIGNUM_TRY(embed(*model_, tokens, tokens.size(), hidden, pool, cache_.length()));
  for (const DecoderLayer& layer : layers_) layer.extend(hidden, cache_, buffers_, pool);
  cache_.grow(tokens.size());
  return ConstView(hidden);
}

}  // namespace signum
