#include "model/decoder_layer.h"

#include <algorithm>
#include <cstring>

#include "base/growing_array.h"
#include "math/linear_algebra.h"
#include "model/attention.h"
#include "model/rotary.h"
#include "model/row_operations.h"
#include "model/rows.h"

namespace signum {
namespace {

constexpr size_t kBatchTokens = 4096;  // large enough for products at full speed on many cores

void copy_rows(ConstView from, View to, ThreadPool& pool) {
  if (from.data == to.data) return;
  for_rows(from.rows, pool,
           [&](size_t i) { std::memcpy(to.row(i), from.row(i), from.columns * sizeof(float)); });
}

}  // namespace

struct ForwardBuffers::Arrays {
  GrowingArray residual, scratch, qkv, attended, mlp;

  // A table of each kind of positions that a layer asked for.
  struct Angles {
    Rope rope;
    size_t length = 0, dim = 0;
    RotaryTable table;
  };
  std::vector<Angles> angles;

  const RotaryTable& rotary(const Rope& rope, size_t length, size_t dim) {
    auto found =
        std::ranges::find_if(angles, [&](const Angles& a) { return a.rope == rope && a.dim == dim; });
    if (found == angles.end())
      found = angles.insert(angles.end(), Angles{.rope = rope, .dim = dim, .table = {}});
    if (found->length < length) {  // token after token, it is made anew few times
      found->length = std::max(length, 2 * found->length);
      found->table = rotary_table(found->length, dim, rope);
    }
    return found->table;
  }
};

ForwardBuffers::ForwardBuffers() : arrays_(std::make_unique<Arrays>()) {}
ForwardBuffers::~ForwardBuffers() = default;
ForwardBuffers::ForwardBuffers(ForwardBuffers&&) noexcept = default;
ForwardBuffers& ForwardBuffers::operator=(ForwardBuffers&&) noexcept = default;

size_t sequences_per_batch(size_t length) {
  return std::max<size_t>(1, kBatchTokens / std::max<size_t>(1, length));
}

size_t mlp_width(const ModelConfig& config) {
  return (is_gated(config.architecture->mlp) ? 2 : 1) * config.intermediate;
}

size_t forward_floats(const ModelConfig& config) {
  const size_t queries = width_of(Width::Queries, config);
  return 2 * config.hidden + width_of(Width::QueriesKeysValues, config) + queries + mlp_width(config);
}

Result<DecoderLayer> DecoderLayer::load(const Model& model, size_t layer, ThreadPool& pool, WeightForm form) {
  DecoderLayer loaded;
  loaded.config_ = model.config();
  loaded.layer_ = layer;
  for (const LinearInfo& linear : model.linears_of(layer)) {
    Matrix weight;
    if (form == WeightForm::Mapped) {
      SIGNUM_TAKE(MappedMatrix mapped, model.mapped(linear, pool));
      loaded.mapped_.push_back(std::move(mapped));
    } else {
      SIGNUM_TAKE(weight, model.weight(linear, pool));
    }
    loaded.weights_.push_back(std::move(weight));
    Matrix bias;
    if (has_bias(model.config(), linear.input)) {
      SIGNUM_TAKE(bias, Model::to_matrix(*model.find(linear.name + ".bias"), pool));
    }
    loaded.biases_.push_back(std::move(bias));
  }
  const auto& names = model.config().architecture->norms;
  for (size_t which = 0; which < kLayerNorms; ++which)
    if (names[which]) {
      SIGNUM_TAKE(loaded.norms_[which],
                  Norm::load(model, layer_prefix(model.config(), layer) + names[which], pool));
    }
  return loaded;
}

void DecoderLayer::replace(size_t index, Matrix weight) { weights_[index] = std::move(weight); }
Matrix DecoderLayer::take(size_t index) { return std::move(weights_[index]); }

ConstView DecoderLayer::normed_first(LayerNorm which, ConstView x, View scratch, ThreadPool& pool) const {
  if (!config_.norm_first) return x;
  norm(which).apply(x, scratch, pool);
  return scratch;
}

void DecoderLayer::project(LinearInput input, ConstView x, float beta, View out, ThreadPool& pool) const {
  const auto& linears = config_.architecture->linears;
  const auto rows_of = [&](size_t i) { return mapped_.empty() ? weights_[i].rows() : mapped_[i].rows(); };
  // Calls each(linear, its part of out).
  const auto for_linears = [&](const auto& each) {
    for (size_t i = 0, at = 0; i < linears.size(); ++i) {
      if (linears[i].input != input) continue;
      each(i, out.block(0, at, out.rows, rows_of(i)));
      at += rows_of(i);
    }
  };
  if (mapped_.empty()) {
    for_linears([&](size_t i, View part) { gemm_transposed(1.0f, x, weights_[i].view(), beta, part, pool); });
  } else {
    std::vector<MappedMatrix::Part> parts;
    for_linears([&](size_t i, View part) { parts.push_back({&mapped_[i], part}); });
    MappedMatrix::multiply(parts, x, beta, pool);
  }
  for_linears([&](size_t i, View part) {
    if (biases_[i].size() == 0) return;
    for_rows(part.rows, pool, [&](size_t t) { add_row(part.row(t), biases_[i].data(), part.columns); });
  });
}

void DecoderLayer::add_branch(LinearInput input, ConstView x, LayerNorm before, LayerNorm after,
                              View residual, View scratch, ThreadPool& pool) const {
  if (norm(after).exists()) {
    project(input, x, 0.0f, scratch, pool);
    norm(after).apply(scratch, scratch, pool);
    for_rows(residual.rows, pool,
             [&](size_t t) { add_row(residual.row(t), scratch.row(t), residual.columns); });
  } else {
    project(input, x, 1.0f, residual, pool);
  }
  if (!config_.norm_first) norm(before).apply(residual, residual, pool);
}

void DecoderLayer::attend(View qkv, size_t length, KeyValueCache* cache, View out, ForwardBuffers& buffers,
                          ThreadPool& pool) const {
  const size_t dim = config_.head_dim, tokens = qkv.rows;
  const size_t q_width = config_.heads * dim, kv_width = config_.kv_heads * dim;
  const View q = qkv.block(0, 0, tokens, q_width), k = qkv.block(0, q_width, tokens, kv_width);
  const View v = qkv.block(0, q_width + kv_width, tokens, kv_width);
  const size_t past = cache ? cache->length() : 0;
  const LayerAttention& layer = config_.attention[layer_];
  const RotaryTable* rotary = config_.ropes.empty()
                                  ? nullptr
                                  : &buffers.arrays_->rotary(config_.ropes[layer.rope], past + length, dim);
  const auto place = [&](View x, const Norm& norm, size_t token) {
    for (float* head = x.row(token); head < x.row(token) + x.columns; head += dim) {
      if (norm.exists()) norm.apply(head, head);
      if (rotary) {
        const size_t position = past + token % length;
        rotate_halves(head, rotary->cosine.row(position), rotary->sine.row(position), dim / 2);
      }
    }
  };
  for_rows(tokens, pool, [&](size_t token) {
    place(q, norm(LayerNorm::Query), token);
    place(k, norm(LayerNorm::Key), token);
  });
  ConstView keys = k, values = v;
  if (cache) {
    const View held_keys = cache->keys(layer_), held_values = cache->values(layer_);
    copy_rows(k, held_keys.block(past, 0, tokens, kv_width), pool);
    copy_rows(v, held_values.block(past, 0, tokens, kv_width), pool);
    keys = held_keys.block(0, 0, past + tokens, kv_width);
    values = held_values.block(0, 0, past + tokens, kv_width);
  }
  causal_attention({.length = length,
                    .past = past,
                    .heads = config_.heads,
                    .kv_heads = config_.kv_heads,
                    .head_dim = dim,
                    .scale = float(config_.attention_scale),
                    .cap = float(config_.attention_cap),
                    .window = layer.window},
                   q, keys, values, out, pool);
}

View DecoderLayer::activate(View gate_up, ThreadPool& pool) const {
  const size_t width = config_.intermediate;
  const View out = gate_up.block(0, 0, gate_up.rows, width);
  for_rows(out.rows, pool, [&](size_t i) {
    float *gate = gate_up.row(i), *up = gate + width;
    switch (config_.architecture->mlp) {
      case MlpKind::SiluGated:
        return silu_multiply(gate, up, gate, width);
      case MlpKind::GeluTanhGated:
        return gelu_tanh_multiply(gate, up, gate, width);
      case MlpKind::Relu:
        return relu(gate, width);
    }
  });
  return out;
}

void DecoderLayer::forward(ConstView input, size_t length, View output, ForwardBuffers& buffers,
                           ThreadPool& pool, const InputSink& sink, LinearInput last) const {
  run(input, length, nullptr, output, buffers, pool, sink, last);
}

void DecoderLayer::extend(View x, KeyValueCache& cache, ForwardBuffers& buffers, ThreadPool& pool) const {
  run(x, x.rows, &cache, x, buffers, pool, {}, LinearInput::MlpHidden);
}

void DecoderLayer::run(ConstView input, size_t length, KeyValueCache* cache, View output,
                       ForwardBuffers& buffers, ThreadPool& pool, const InputSink& sink,
                       LinearInput last) const {
  ForwardBuffers::Arrays& arrays = *buffers.arrays_;
  const size_t tokens = input.rows;
  // Whether anything is wanted beyond this input.
  const auto give = [&](LinearInput which, ConstView x, ConstView stream = {}) {
    if (sink) sink(which, x, stream);
    return output.data || which != last;
  };
  const View residual = output.data ? output : arrays.residual.view(tokens, config_.hidden);
  const View scratch = arrays.scratch.view(tokens, config_.hidden);
  // A branch's output is added to it, or its norm.
  const auto added_to = [&](LayerNorm after) {
    return norm(after).exists() ? ConstView() : ConstView(residual);
  };

  // x + attention(norm(x))
  const ConstView attention = normed_first(LayerNorm::Attention, input, scratch, pool);
  if (!give(LinearInput::Attention, attention)) return;
  const View qkv = arrays.qkv.view(tokens, width_of(Width::QueriesKeysValues, config_));
  project(LinearInput::Attention, attention, 0.0f, qkv, pool);
  const View attended = arrays.attended.view(tokens, width_of(Width::Queries, config_));
  attend(qkv, length, cache, attended, buffers, pool);
  copy_rows(input, residual, pool);
  if (!give(LinearInput::AttentionOutput, attended, added_to(LayerNorm::AttentionOutput))) return;
  add_branch(LinearInput::AttentionOutput, attended, LayerNorm::Attention, LayerNorm::AttentionOutput,
             residual, scratch, pool);

  // x + mlp(norm(x))
  const ConstView mlp = normed_first(LayerNorm::Mlp, residual, scratch, pool);
  if (!give(LinearInput::Mlp, mlp)) return;
  const View gate_up = arrays.mlp.view(tokens, mlp_width(config_));
  project(LinearInput::Mlp, mlp, 0.0f, gate_up, pool);
  const View hidden = activate(gate_up, pool);
  if (!give(LinearInput::MlpHidden, hidden, added_to(LayerNorm::MlpOutput))) return;
  add_branch(LinearInput::MlpHidden, hidden, LayerNorm::Mlp, LayerNorm::MlpOutput, residual, scratch, pool);
}

}  // namespace signum
