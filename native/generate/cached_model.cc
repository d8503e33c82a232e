#include "generate/cached_model.h"

#include <string>

namespace signum {

CachedModel::CachedModel(std::shared_ptr<const Model> model, Head head, size_t capacity)
    : model_(std::move(model)), head_(std::move(head)), cache_(model_->config(), capacity) {}

Status check_capacity(const ModelConfig& config, size_t capacity) {
  if (capacity > config.context)
    return Error{"context_too_long",
                 "A cache of " + std::to_string(capacity) + " tokens is more than the model's " +
                     std::to_string(config.context) + " positions.",
                 ""};
  return {};
}

Result<CachedModel> CachedModel::load(std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool) {
  SIGNUM_TRY(check_capacity(model->config(), capacity));
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

Status CachedModel::read(std::span<const uint32_t> tokens, std::span<float> logits, ThreadPool& pool) {
  SIGNUM_TAKE(const ConstView hidden, read(tokens, pool));
  if (!logits.empty())
    this->logits(hidden.block(hidden.rows - 1, 0, 1, hidden.columns),
                 {logits.data(), 1, logits.size(), logits.size()}, pool);
  return {};
}

}  // namespace signum
