#include "cuda/model/generation.h"

#include <algorithm>
#include <cstring>

#include "generate/cached_model.h"

namespace signum::cuda {
namespace {

constexpr size_t kFewestKeys = 256;  // that a graph is recorded for: two parts of the attention

}  // namespace

CardReader::CardReader(Card card, std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool)
    : card_(card),
      model_(std::move(model)),
      capacity_(capacity),
      embedding_((check(check_capacity(model_->config(), capacity)),
                  DeviceEmbedding::load_whole(card_, *model_, pool))),
      head_(DeviceHead::load(card_, *model_, pool, embedding_.table())),
      place_(card.device, 2, "a token"),
      logits_(card.device, model_->config().vocabulary, "the logits"),
      sent_(card.device),
      heard_(card.device) {
  LayerReader reader(card_, *model_);
  const size_t width = width_of(Width::KeyValues, model_->config());
  for (size_t index = 0; index < model_->config().layers; ++index) {
    Layer layer{reader.load(index, pool), {}, {}};
    reader.read_ahead(index + 1);
    layer.keys = DeviceMatrix(card_.device, capacity_, width, "the keys and values of the context");
    layer.values = DeviceMatrix(card_.device, capacity_, width, "the keys and values of the context");
    layers_.push_back(std::move(layer));
  }
}

uint64_t CardReader::cache_bytes() const { return signum::cache_bytes(model_->config(), capacity_); }

uint64_t CardReader::weight_bytes() const {
  uint64_t bytes = embedding_.bytes() + head_.bytes();
  for (const Layer& layer : layers_) bytes += layer.layer.weight_bytes();
  return bytes;
}

// All of it is put into the stream and then waited for once.
Status CardReader::read(std::span<const uint32_t> tokens, std::span<float> logits, ThreadPool&) {
  return guarded_status([&] {
    Device& device = card_.device;
    if (tokens.size() == 1)
      read_token(tokens[0]);
    else
      read_prompt(tokens, !logits.empty());
    uint8_t* heard = logits.empty() ? nullptr : heard_.room(logits.size_bytes());
    if (heard) device.download_later(device.stream(), heard, logits_.data(), logits.size_bytes());
    device.stream().wait();
    if (heard) std::memcpy(logits.data(), heard, logits.size_bytes());
    length_ += tokens.size();
  });
}

void CardReader::extend(Room& room, DeviceView<float> hidden, size_t keys, size_t past,
                        const uint32_t* past_on_card) {
  for (const Layer& layer : layers_) {
    const LayerCache cache{.keys = layer.keys.view().block(0, 0, keys, layer.keys.columns()),
                           .values = layer.values.view().block(0, 0, keys, layer.values.columns()),
                           .past = past,
                           .past_on_card = past_on_card};
    layer.layer.extend(card_, hidden, cache, room.buffers);
  }
}

void CardReader::read_prompt(std::span<const uint32_t> tokens, bool wants_logits) {
  const size_t width = model_->config().hidden;
  Array<uint32_t> ids(card_.device, tokens.size(), "the tokens");
  ids_.assign(tokens.begin(), tokens.end());
  ids.upload(ids_);
  if (prompt_.hidden.size() < tokens.size() * width) {
    prompt_.hidden = {};
    prompt_.hidden = Array<float>(card_.device, tokens.size() * width, "the residual stream");
  }
  const DeviceView<float> hidden{prompt_.hidden.data(), tokens.size(), width, width};
  embedding_.embed(card_, prompt_.ends, ids.data(), hidden, {.length = tokens.size(), .past = length_});
  extend(prompt_, hidden, capacity_, length_, nullptr);
  if (wants_logits)
    head_.logits(card_, prompt_.ends, hidden.block(tokens.size() - 1, 0, 1, width),
                 view_of(logits_, 1, logits_.size()));
}

void CardReader::step() {
  const size_t width = model_->config().hidden;
  const DeviceView<float> hidden = view_of(step_.hidden, 1, width);
  const uint32_t* past = place_.data() + 1;
  embedding_.embed(card_, step_.ends, place_.data(), hidden, {.length = 1, .past_on_card = past});
  extend(step_, hidden, keys_, 0, past);
  head_.logits(card_, step_.ends, hidden, view_of(logits_, 1, logits_.size()));
}

void CardReader::read_token(uint32_t token) {
  auto* place = reinterpret_cast<uint32_t*>(sent_.room(2 * sizeof(uint32_t)));
  place[0] = token;
  place[1] = uint32_t(length_);
  place_.upload({place, 2});
  if (length_ >= keys_) {  // the attention of a longer text has more parts
    graph_.reset();
    has_room_ = false;
    keys_ = std::min(capacity_, std::max({kFewestKeys, 2 * keys_, 2 * length_}));
  }
  if (!has_room_) {
    if (!step_.hidden) step_.hidden = Array<float>(card_.device, model_->config().hidden, "a token");
    step();
    has_room_ = true;
    return;
  }
  if (!graph_) {
    graph_.emplace(card_.device, [&] { step(); });
    ++recordings_;
  }
  graph_->play();
}

}  // namespace signum::cuda
