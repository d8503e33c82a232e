// The two ends of a model that generates on the card (model/ends.h): tables stay as they are stored or
// packed, and nothing is allocated where room has been made, so that a graph can be recorded.
#pragma once

#include <memory>
#include <optional>

#include "cuda/model/card_matrix.h"
#include "cuda/model/decoder_block.h"
#include "model/model.h"

namespace signum::cuda {

// Scratch of the ends and of the products, kept between calls.
struct EndsRoom {
  ProductRoom products;
  Array<float> narrow, normed;
};

class GenerationEnds {
 public:
  // Faults: weights_not_finite, packed_broken, device_memory_short.
  static GenerationEnds load(Card& card, const Model& model, ThreadPool& pool);

  // out [tokens, hidden] without gaps = the tokens' rows of the embedding table, scaled, projected, and with
  // learned positions. ids on the card.
  void embed(Card& card, EndsRoom& room, const uint32_t* ids, DeviceView<float> out,
             const Places& places) const;
  // hidden [tokens, hidden] without gaps -> logits [tokens, vocabulary].
  void logits(Card& card, EndsRoom& room, DeviceView<const float> hidden, DeviceView<float> logits) const;
  uint64_t bytes() const;

 private:
  GenerationEnds() = default;
  std::shared_ptr<const CardMatrix> embedding_, head_;  // the same one where they are tied
  std::optional<CardMatrix> project_in_, project_out_;
  DeviceMatrix positions_;  // learned ones, from that of the first token on; empty: none
  DeviceNorm norm_;
  float scale_ = 1, cap_ = 0;
};

}  // namespace signum::cuda
