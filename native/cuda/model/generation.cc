#include "cuda/model/generation.h"

#include <algorithm>

#include "generate/cached_model.h"

namespace signum::cuda {
namespace {

constexpr size_t kFewestKeys = 256;  // that a graph is recorded for: two parts of the attention

}  // namespace

class CardReader::Products final : public BlockProducts {
 public:
  Products(Card& card, const Model& model, const Layer& layer, ProductRoom& room)
      : card_(card), linears_(model.linears_of(layer.block.layer())), layer_(layer), room_(room) {}
  void project(LinearInput input, DeviceView<const float> x, float beta, DeviceView<float> out) override {
    for (size_t i = 0, at = 0; i < linears_.size(); ++i) {
      if (linears_[i].input != input) continue;
      const CardMatrix& weight = layer_.weights[i];
      weight.multiply(card_, room_, x, beta, out.block(0, at, out.rows, weight.rows()));
      at += weight.rows();
    }
  }

 private:
  Card& card_;
  std::span<const LinearInfo> linears_;
  const Layer& layer_;
  ProductRoom& room_;
};

CardReader::CardReader(Card card, std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool)
    : card_(card),
      model_(std::move(model)),
      capacity_(capacity),
      ends_((check(check_capacity(model_->config(), capacity)), GenerationEnds::load(card_, *model_, pool))),
      place_(card.device, 2, "a token"),
      logits_(card.device, model_->config().vocabulary, "the logits") {
  for (size_t index = 0; index < model_->config().layers; ++index) layers_.push_back(load_layer(index, pool));
}

CardReader::Layer CardReader::load_layer(size_t index, ThreadPool& pool) {
  Layer layer{DecoderBlock::load(card_.device, *model_, index, pool), {}, {}, {}};
  for (const LinearInfo& linear : model_->linears_of(index)) {
    taken(model_->mapped(linear, pool));  // looks at its values, and whether its tensors agree
    const auto packed = taken(model_->packed_view(linear));
    layer.weights.push_back(
        packed ? CardMatrix::of(card_, *packed, "the weights of a layer")
               : CardMatrix::of(card_, *model_->find(linear.name + ".weight"), "the weights of a layer"));
  }
  const size_t width = width_of(Width::KeyValues, model_->config());
  layer.keys = DeviceMatrix(card_.device, capacity_, width, "the keys and values of the context");
  layer.values = DeviceMatrix(card_.device, capacity_, width, "the keys and values of the context");
  return layer;
}

uint64_t CardReader::cache_bytes() const { return signum::cache_bytes(model_->config(), capacity_); }

uint64_t CardReader::weight_bytes() const {
  uint64_t bytes = ends_.bytes();
  for (const Layer& layer : layers_)
    for (const CardMatrix& weight : layer.weights) bytes += weight.bytes();
  return bytes;
}

Status CardReader::read(std::span<const uint32_t> tokens, std::span<float> logits, ThreadPool&) {
  return guarded_status([&] {
    if (tokens.size() == 1)
      read_token(tokens[0]);
    else
      read_prompt(tokens, !logits.empty());
    if (!logits.empty()) card_.device.download(logits.data(), logits_.data(), logits.size_bytes());
    card_.device.stream().wait();  // the tokens may go
    length_ += tokens.size();
  });
}

void CardReader::extend(Room& room, DeviceView<float> hidden, size_t keys, size_t past,
                        const uint32_t* past_on_card) {
  for (const Layer& layer : layers_) {
    Products products(card_, *model_, layer, room.ends.products);
    const LayerCache cache{.keys = layer.keys.view().block(0, 0, keys, layer.keys.columns()),
                           .values = layer.values.view().block(0, 0, keys, layer.values.columns()),
                           .past = past,
                           .past_on_card = past_on_card};
    layer.block.extend(card_.device, products, hidden, cache, room.buffers);
  }
}

void CardReader::read_prompt(std::span<const uint32_t> tokens, bool wants_logits) {
  const size_t width = model_->config().hidden;
  Array<uint32_t> ids(card_.device, tokens.size(), "the tokens");
  ids.upload(tokens);
  if (prompt_.hidden.size() < tokens.size() * width) {
    prompt_.hidden = {};
    prompt_.hidden = Array<float>(card_.device, tokens.size() * width, "the residual stream");
  }
  const DeviceView<float> hidden{prompt_.hidden.data(), tokens.size(), width, width};
  ends_.embed(card_, prompt_.ends, ids.data(), hidden, {.length = tokens.size(), .past = length_});
  extend(prompt_, hidden, capacity_, length_, nullptr);
  if (wants_logits)
    ends_.logits(card_, prompt_.ends, hidden.block(tokens.size() - 1, 0, 1, width),
                 view_of(logits_, 1, logits_.size()));
  card_.device.stream().wait();  // the tokens may go
}

void CardReader::step() {
  const size_t width = model_->config().hidden;
  const DeviceView<float> hidden = view_of(step_.hidden, 1, width);
  const uint32_t* past = place_.data() + 1;
  ends_.embed(card_, step_.ends, place_.data(), hidden, {.length = 1, .past_on_card = past});
  extend(step_, hidden, keys_, 0, past);
  ends_.logits(card_, step_.ends, hidden, view_of(logits_, 1, logits_.size()));
}

void CardReader::read_token(uint32_t token) {
  const uint32_t place[2] = {token, uint32_t(length_)};
  place_.upload(place);
  card_.device.stream().wait();
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
