// The two ends of a model on the card (model/ends.h).
#pragma once

#include <span>
#include <vector>

#include "cuda/card.h"
#include "cuda/model/decoder_block.h"
#include "cuda/model/device_weight.h"
#include "model/model.h"

namespace signum::cuda {

// Tokens to the residual stream. The table lies on the card as it is stored or packed; where it is stored and
// would take more than a quarter of what is free, rows are looked up on the CPU. The model outlives it.
class DeviceEmbedding {
 public:
  // Faults: weights_not_finite, device_memory_short.
  static DeviceEmbedding load(Card card, const Model& model, ThreadPool& pool);

  // As signum::embed(): out [tokens, hidden] without gaps. Waits. Fault weights_not_finite.
  void embed(Card card, std::span<const uint32_t> tokens, DeviceView<float> out, const Places& places,
             ThreadPool& pool) const;
  // Whether the table is on the card, so that tokens may be there as well.
  bool on_card() const { return bool(table_); }
  // ids on the card; does not wait, and nothing is checked.
  void embed(Card card, const uint32_t* ids, DeviceView<float> out, const Places& places) const;

 private:
  explicit DeviceEmbedding(const Model& model) : model_(&model) {}
  // out [ids, embedding_width] = the table's rows.
  void look_up(Card card, const uint32_t* ids, DeviceView<float> out) const;
  // The table's rows -> the residual stream; narrow: only with project_in_.
  void finish(Card card, DeviceView<const float> narrow, DeviceView<float> out, const Places& places) const;
  DeviceView<float> rows(Card card, DeviceMatrix& narrow, DeviceView<float> out) const;

  const Model* model_;
  DeviceWeight table_;       // empty: looked up on the CPU
  DeviceMatrix project_in_;  // [hidden, embedding_width]; empty: the widths are the same
  DeviceMatrix positions_;   // learned ones, from that of the first token on; empty: none
};

// Final norm and head.
class DeviceHead {
 public:
  // Faults: weights_not_finite, packed_broken, device_memory_short.
  static DeviceHead load(Card card, const Model& model, ThreadPool& pool);

  size_t vocabulary() const { return table_.rows(); }
  // hidden [tokens, hidden] -> logits [tokens, vocabulary]; both without gaps.
  void logits(Card card, DeviceView<const float> hidden, DeviceView<float> logits) const;

 private:
  DeviceHead() = default;
  DeviceNorm norm_;
  DeviceMatrix project_out_;  // [embedding_width, hidden]; empty: the widths are the same
  DeviceWeight table_;        // [vocabulary, embedding_width]
  float cap_ = 0;
};

}  // namespace signum::cuda
