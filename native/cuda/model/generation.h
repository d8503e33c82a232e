// A model that reads on wholly on the card: its weights as they are stored or packed, the keys and values of
// what it has read in F32, as the CPU keeps them, so that both give the same text. One token is one graph:
// recorded once, played for every token; which token it is, and where it stands, is read from the card.
// Prompts are read in batches without it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cuda/model/device_layer.h"
#include "cuda/model/ends.h"
#include "cuda/model/staging.h"
#include "generate/token_reader.h"
#include "model/model.h"

namespace signum::cuda {

class CardReader final : public TokenReader {
 public:
  // capacity: of the cache, in tokens. Faults: context_too_long (above the model's context),
  // weights_not_finite, packed_broken, device_memory_short, device_failed (heads that are too wide). The card
  // outlives it.
  CardReader(Card card, std::shared_ptr<const Model> model, size_t capacity, ThreadPool& pool);

  const Model& model() const override { return *model_; }
  size_t capacity() const override { return capacity_; }
  size_t length() const override { return length_; }
  uint64_t cache_bytes() const override;
  void truncate(size_t length) override { length_ = length; }
  Status read(std::span<const uint32_t> tokens, std::span<float> logits, ThreadPool& pool) override;

  // What a token reads: weights of the layers, embeddings, head.
  uint64_t weight_bytes() const;
  // How often a graph has been recorded.
  size_t recordings() const { return recordings_; }

 private:
  struct Layer {
    DeviceLayer layer;
    DeviceMatrix keys, values;  // [capacity, kv_heads * head_dim]
  };
  // Scratch of one way to read: a graph keeps the addresses that it was recorded with.
  struct Room {
    BlockBuffers buffers;
    EndsRoom ends;
    Array<float> hidden;
  };

  void read_prompt(std::span<const uint32_t> tokens, bool wants_logits);
  void read_token(uint32_t token);
  // One token with what is in place_: kernels only.
  void step();
  void extend(Room& room, DeviceView<float> hidden, size_t keys, size_t past, const uint32_t* past_on_card);

  Card card_;
  std::shared_ptr<const Model> model_;
  size_t capacity_, length_ = 0;
  DeviceEmbedding embedding_;
  DeviceHead head_;
  std::vector<Layer> layers_;
  Room prompt_, step_;
  Array<uint32_t> place_;  // the token, and how many there are before it
  Array<float> logits_;
  Staging sent_, heard_;       // what is copied to place_ and from logits_
  std::vector<uint32_t> ids_;  // of a prompt on its way
  size_t keys_ = 0;            // that one token can see
  bool has_room_ = false;      // one such token has been read: nothing more is allocated
  std::optional<Graph> graph_;
  size_t recordings_ = 0;
};

}  // namespace signum::cuda
