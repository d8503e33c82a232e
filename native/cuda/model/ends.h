// The two ends of a model on the card (model/ends.h).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "cuda/card.h"
#include "cuda/model/decoder_block.h"
#include "cuda/model/device_weight.h"
#include "model/model.h"

namespace signum::cuda {

// Scratch of the ends and of their products, kept between calls: where it has grown, nothing is allocated.
struct EndsRoom {
  ProductRoom products;
  Array<float> narrow, normed;
};

// Tokens to the residual stream. The table lies on the card as it is stored or packed.
class DeviceEmbedding {
 public:
  // Where the table is stored and would take more than a quarter of what is free, rows are looked up on the
  // CPU. The model outlives it. Faults: weights_not_finite, device_memory_short.
  static DeviceEmbedding load(Card card, const Model& model, ThreadPool& pool);
  // The table on the card in any case, and all its values looked at. Faults: the same, packed_broken.
  static DeviceEmbedding load_whole(Card card, const Model& model, ThreadPool& pool);

  // As signum::embed(): out [tokens, hidden] without gaps. Waits. Fault weights_not_finite.
  void embed(Card card, std::span<const uint32_t> tokens, DeviceView<float> out, const Places& places,
             ThreadPool& pool) const;
  // Whether the table is on the card, so that tokens may be there as well.
  bool on_card() const { return table_ != nullptr; }
  // ids on the card; does not wait, and nothing is checked.
  void embed(Card card, EndsRoom& room, const uint32_t* ids, DeviceView<float> out,
             const Places& places) const;
  // Null: rows are looked up on the CPU.
  const std::shared_ptr<const DeviceWeight>& table() const { return table_; }
  // On the card.
  uint64_t bytes() const;

 private:
  explicit DeviceEmbedding(const Model& model) : model_(&model) {}
  static DeviceEmbedding load(Card card, const Model& model, bool whole, ThreadPool& pool);
  // Where the table's rows go: to `out` or, before they are projected, to the room.
  DeviceView<float> rows(Card card, EndsRoom& room, DeviceView<float> out) const;
  // The table's rows -> the residual stream.
  void finish(Card card, EndsRoom& room, DeviceView<const float> rows, DeviceView<float> out,
              const Places& places) const;

  const Model* model_;
  std::shared_ptr<const DeviceWeight> table_;
  DeviceWeight project_in_;  // [hidden, embedding_width]; empty: the widths are the same
  DeviceMatrix positions_;   // learned ones, from that of the first token on; empty: none
};

// Final norm and head.
class DeviceHead {
 public:
  // tied: an embedding's whole table, which is shared where the model has one table for both ends. Faults:
  // weights_not_finite, packed_broken, device_memory_short.
  static DeviceHead load(Card card, const Model& model, ThreadPool& pool,
                         std::shared_ptr<const DeviceWeight> tied = nullptr);

  size_t vocabulary() const { return table_->rows(); }
  // hidden [tokens, hidden] -> logits [tokens, vocabulary]; both without gaps.
  void logits(Card card, EndsRoom& room, DeviceView<const float> hidden, DeviceView<float> logits) const;
  // On the card, but for a shared table.
  uint64_t bytes() const { return project_out_.bytes() + (shared_ ? 0 : table_->bytes()); }

 private:
  DeviceHead() = default;
  DeviceNorm norm_;
  DeviceWeight project_out_;                   // [embedding_width, hidden]; empty: the widths are the same
  std::shared_ptr<const DeviceWeight> table_;  // [vocabulary, embedding_width]
  bool shared_ = false;
  float cap_ = 0;
};

}  // namespace signum::cuda
