// One decoder layer on the card: its weights as they are stored, and its forward pass
// (model/decoder_layer.h).
#pragma once

#include <thread>
#include <vector>

#include "cuda/card.h"
#include "cuda/model/decoder_block.h"
#include "cuda/model/device_weight.h"
#include "cuda/model/staging.h"
#include "model/model.h"

namespace signum::cuda {

class DeviceLayer {
 public:
  // Reads and uploads at once; LayerReader does it ahead. Faults: weights_not_finite, packed_broken,
  // device_memory_short; those of DecoderBlock::load.
  static DeviceLayer load(Card card, const Model& model, size_t layer, ThreadPool& pool);

  size_t layer() const { return block_.layer(); }
  const ModelConfig& config() const { return block_.config(); }
  const DecoderBlock& block() const { return block_; }
  // Bytes of the linears on the card.
  uint64_t weight_bytes() const;

  // index: place in model.linears_of(layer). A copy in F32 [rows, columns].
  DeviceMatrix weight(Card card, size_t index) const;
  // Puts another matrix of the same shape in a linear's place.
  void replace(size_t index, DeviceMatrix weight);
  // weight(), and the stored one goes; forward() needs it back by replace().
  DeviceMatrix take(Card card, size_t index);

  // As DecoderLayer::forward(), in the order of the card's stream: input, output [sequences * length, hidden]
  // without gaps, output may be input; with output.data null nothing is computed beyond `last`.
  void forward(Card card, DeviceView<const float> input, size_t length, DeviceView<float> output,
               BlockBuffers& buffers, const DeviceSink& sink = {},
               LinearInput last = LinearInput::MlpHidden) const;
  // As DecoderLayer::extend().
  void extend(Card card, DeviceView<float> x, const LayerCache& cache, BlockBuffers& buffers) const;

 private:
  friend class LayerReader;
  explicit DeviceLayer(DecoderBlock block) : block_(std::move(block)) {}

  DecoderBlock block_;
  std::vector<DeviceWeight> weights_;
};

// Loads decoder layers one after the other; while the card works with one, the next can be read from its file
// into page-locked memory; packed linears, which are small, are read by load(). The model outlives it.
class LayerReader {
 public:
  LayerReader(Card card, const Model& model) : card_(card), model_(model), staging_(card.device) {}
  ~LayerReader();
  LayerReader(const LayerReader&) = delete;
  LayerReader& operator=(const LayerReader&) = delete;

  // Begins to read the layer, if it is one, in a thread of its own; one that was read before it is forgotten.
  void read_ahead(size_t layer);
  // The layer on the card: what was read ahead, or read now. Faults: those of DeviceLayer::load.
  DeviceLayer load(size_t layer, ThreadPool& pool);

 private:
  // A linear's bytes, and where they stand in the staging memory; null: it is packed.
  struct Part {
    const TensorView* stored;
    size_t at;
  };
  void prepare(size_t layer);
  Status read(ThreadPool& pool);
  void join();

  Card card_;
  const Model& model_;
  Staging staging_;
  std::vector<Part> parts_;
  std::thread thread_;
  std::optional<size_t> ahead_;  // layer that thread_ reads or has read
  Status status_;
};

}  // namespace signum::cuda
