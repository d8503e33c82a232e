// One decoder layer in F32: its weights and its forward pass.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "model/cache.h"
#include "model/model.h"
#include "model/norm.h"

namespace signum {

class ThreadPool;

// Receives each distinct linear input once per forward, before it is used, in the order of LinearInput.
// x [tokens, width]; stream [tokens, hidden]: what the outputs of the linears that read x are added to, its
// data null where they are not added as they are. Valid during the call only.
using InputSink = std::function<void(LinearInput input, ConstView x, ConstView stream)>;

// Scratch arrays of forward(), kept between calls; grow to the largest batch seen: tokens *
// forward_floats() floats, 0.8 GB for 4,096 tokens of a 7B model.
class ForwardBuffers {
 public:
  ForwardBuffers();
  ~ForwardBuffers();
  ForwardBuffers(ForwardBuffers&&) noexcept;
  ForwardBuffers& operator=(ForwardBuffers&&) noexcept;

 private:
  friend class DecoderLayer;
  struct Arrays;
  std::unique_ptr<Arrays> arrays_;
};

class DecoderLayer {
 public:
  // Loads the layer's weights. Only Decoded, weight() and replace() know the linears. Mapped, they stay where
  // they are, forward() multiplies by them there, and the model must outlive the layer. Errors:
  // weights_not_finite, packed_broken.
  static Result<DecoderLayer> load(const Model& model, size_t layer, ThreadPool& pool,
                                   WeightForm form = WeightForm::Decoded);

  size_t layer() const { return layer_; }
  const ModelConfig& config() const { return config_; }
  // index: place in model.linears_of(layer). [rows, columns]
  const Matrix& weight(size_t index) const { return weights_[index]; }
  // Puts another matrix of the same shape in a linear's place (what its packed form decodes to).
  void replace(size_t index, Matrix weight);
  // Takes a linear's matrix out; forward() needs it back by replace().
  Matrix take(size_t index);

  // input, output [sequences * length, hidden]: the rows of one sequence lie together, each sequence has
  // positions 0 to length - 1 and sees only itself. output may be input. With output.data null nothing is
  // computed beyond `last`, the last input that the sink receives. length <= the model's context. The result
  // does not depend on the pool's size.
  void forward(ConstView input, size_t length, View output, ForwardBuffers& buffers, ThreadPool& pool,
               const InputSink& sink = {}, LinearInput last = LinearInput::MlpHidden) const;
  // The same of one sequence that goes on: x [tokens, hidden], in place, has the positions from
  // cache.length() on and sees what is in the cache too. Its keys and values are written behind them; grow()
  // is left to the caller, when all layers are done. cache.length() + tokens <= cache.capacity().
  void extend(View x, KeyValueCache& cache, ForwardBuffers& buffers, ThreadPool& pool) const;

 private:
  DecoderLayer() = default;
  // forward() and, with a cache, extend().
  void run(ConstView input, size_t length, KeyValueCache* cache, View output, ForwardBuffers& buffers,
           ThreadPool& pool, const InputSink& sink, LinearInput last) const;
  const Norm& norm(LayerNorm which) const { return norms_[size_t(which)]; }
  // x, or its norm in `scratch` where the family norms first.
  ConstView normed_first(LayerNorm which, ConstView x, View scratch, ThreadPool& pool) const;
  // All linears that read this input, side by side in out [tokens, sum of their rows]; beta 1 adds to out.
  void project(LinearInput input, ConstView x, float beta, View out, ThreadPool& pool) const;
  // The branch's last linear, added to the residual stream, with the norms that stand behind it. scratch
  // [tokens, hidden].
  void add_branch(LinearInput input, ConstView x, LayerNorm before, LayerNorm after, View residual,
                  View scratch, ThreadPool& pool) const;
  // qkv [tokens, queries + keys + values] -> out [tokens, queries]: head norms, positions, attention; keys
  // and values go through the cache where there is one.
  void attend(View qkv, size_t length, KeyValueCache* cache, View out, ForwardBuffers& buffers,
              ThreadPool& pool) const;
  // gate_up [tokens, intermediate, twice where gated] -> its first [tokens, intermediate].
  View activate(View gate_up, ThreadPool& pool) const;

  ModelConfig config_;
  size_t layer_ = 0;
  std::vector<Matrix> weights_;       // by place in the architecture's linears; empty matrices: mapped
  std::vector<MappedMatrix> mapped_;  // likewise; none: decoded
  std::vector<Matrix> biases_;        // likewise [1, rows], empty where there is none
  std::array<Norm, kLayerNorms> norms_;
};

// Width of the outputs of the linears that read the MLP's input: gate and up, or up alone.
size_t mlp_width(const ModelConfig& config);
// Numbers that forward() keeps per token.
size_t forward_floats(const ModelConfig& config);

// How many sequences of this length to pass to forward() at once: enough for large products, a function of
// shape only.
size_t sequences_per_batch(size_t length);

}  // namespace signum
