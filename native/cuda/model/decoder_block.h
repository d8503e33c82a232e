// One decoder block on the card but for its linears: their products stand behind an interface, so that stored
// and packed weights go through the same block. For every architecture of model/architecture.h.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "cuda/kernels/product.h"
#include "cuda/matrix.h"
#include "cuda/model/row_kernels.h"
#include "model/config.h"
#include "model/norm.h"

namespace signum {
class ThreadPool;
}

namespace signum::cuda {

// A norm (model/norm.h) on the card.
class DeviceNorm {
 public:
  // Does nothing.
  DeviceNorm() = default;
  DeviceNorm(Device& device, const Norm& norm);

  bool exists() const { return bool(gain_); }
  NormView view() const { return {gain_.data(), bias_ ? bias_.data() : nullptr, epsilon_}; }
  // Every row; out may be x.
  void apply(Device& device, DeviceView<const float> x, DeviceView<float> out) const {
    apply_norm(device, view(), x, out);
  }

 private:
  DeviceMatrix gain_, bias_;
  double epsilon_ = 0;
};

// As InputSink (model/decoder_layer.h), with views of the card: what is put into the device's stream during
// the call sees them, nothing later.
using DeviceSink =
    std::function<void(LinearInput input, DeviceView<const float> x, DeviceView<const float> stream)>;

class BlockProducts {
 public:
  virtual ~BlockProducts() = default;
  // All linears that read this input, side by side in out [tokens, sum of their rows], without their biases:
  // out = beta * out + x W^T. x has no gaps.
  virtual void project(LinearInput input, DeviceView<const float> x, float beta, DeviceView<float> out) = 0;
};

// Keys and values of one layer of one sequence that goes on, [capacity, kv_heads * head_dim], positions
// applied. The tokens before are rows 0 to past - 1.
struct LayerCache {
  DeviceView<float> keys, values;
  size_t past = 0;
  const uint32_t* past_on_card = nullptr;  // read instead of `past`, by one token at a time
};

// Scratch arrays of a block, kept between calls; they grow to the largest batch seen: tokens *
// block_floats().
class BlockBuffers {
 public:
  // cos and sin of positions below `length`, [length, dim / 2] each.
  struct Rotary {
    Rope rope;
    size_t length = 0, dim = 0;
    DeviceMatrix cosine, sine;
  };
  const Rotary& rotary(Device& device, const Rope& rope, size_t length, size_t dim);
  // For the products of packed linears.
  ProductRoom& products() { return products_; }
  // Of the scratch arrays.
  uint64_t bytes() const {
    return residual_.bytes() + scratch_.bytes() + branch_.bytes() + mlp_.bytes() + query_.bytes();
  }

 private:
  friend class DecoderBlock;
  Array<float> residual_, scratch_, branch_, mlp_, query_;
  std::vector<Rotary> rotary_;
  ProductRoom products_;
};
// Floats of scratch per token.
size_t block_floats(const ModelConfig& config);

class DecoderBlock {
 public:
  // Norms and biases. Faults: weights_not_finite, device_memory_short; device_failed for heads that the
  // attention has no tile for.
  static DecoderBlock load(Device& device, const Model& model, size_t layer, ThreadPool& pool);

  size_t layer() const { return layer_; }
  const ModelConfig& config() const { return config_; }

  // As DecoderLayer::forward(). input without gaps; output.data null: nothing beyond `last`.
  void forward(Device& device, BlockProducts& products, DeviceView<const float> input, size_t length,
               DeviceView<float> output, BlockBuffers& buffers, const DeviceSink& sink = {},
               LinearInput last = LinearInput::MlpHidden) const;
  // As DecoderLayer::extend(): x [tokens, hidden], in place, goes on behind the cache, which gets its keys
  // and values.
  void extend(Device& device, BlockProducts& products, DeviceView<float> x, const LayerCache& cache,
              BlockBuffers& buffers) const;

 private:
  DecoderBlock() = default;
  struct Run;  // what all steps of one pass share
  const DeviceNorm& norm(LayerNorm which) const { return norms_[size_t(which)]; }
  void run(const Run& run, DeviceView<const float> input, DeviceView<float> output, const DeviceSink& sink,
           LinearInput last) const;
  DeviceView<const float> normed_first(const Run& run, LayerNorm which, DeviceView<const float> x,
                                       DeviceView<float> scratch) const;
  void project(const Run& run, LinearInput input, DeviceView<const float> x, float beta,
               DeviceView<float> out) const;
  void add_branch(const Run& run, LinearInput input, DeviceView<const float> x, LayerNorm before,
                  LayerNorm after, DeviceView<float> residual, DeviceView<float> scratch) const;
  void attend(const Run& run, DeviceView<float> qkv, DeviceView<float> out) const;

  ModelConfig config_;
  size_t layer_ = 0;
  std::array<DeviceNorm, kLayerNorms> norms_;
  std::array<DeviceMatrix, kLinearInputs> biases_;  // of the linears of an input, side by side; empty: none
};

}  // namespace signum::cuda
