#include "cuda/model/decoder_block.h"

#include <algorithm>
#include <cstring>

#include "cuda/model/attention.h"
#include "model/decoder_layer.h"
#include "model/rotary.h"

namespace signum::cuda {
namespace {

DeviceView<float> room(Device& device, Array<float>& array, size_t rows, size_t columns) {
  if (array.size() < rows * columns) {
    array = {};
    array = Array<float>(device, rows * columns, "the forward pass");
  }
  return {array.data(), rows, columns, columns};
}

size_t branch_floats(const ModelConfig& config) {
  return std::max(width_of(Width::QueriesKeysValues, config) + width_of(Width::Queries, config),
                  config.intermediate);
}

// Biases of all linears of an input, side by side.
DeviceMatrix load_biases(Device& device, const Model& model, size_t layer, LinearInput input,
                         ThreadPool& pool) {
  if (!has_bias(model.config(), input)) return {};
  std::vector<float> all;
  for (const LinearInfo& linear : model.linears_of(layer)) {
    if (linear.input != input) continue;
    const Matrix bias = taken(Model::to_matrix(*model.find(linear.name + ".bias"), pool));
    all.insert(all.end(), bias.data(), bias.data() + bias.size());
  }
  return DeviceMatrix::of(device, ConstView{all.data(), 1, all.size(), all.size()}, "biases");
}

}  // namespace

DeviceNorm::DeviceNorm(Device& device, const Norm& norm)
    : gain_(DeviceMatrix::of(device, norm.gain().view(), "a norm")), epsilon_(norm.epsilon()) {
  if (norm.bias().size() > 0) bias_ = DeviceMatrix::of(device, norm.bias().view(), "a norm");
}

const BlockBuffers::Rotary& BlockBuffers::rotary(Device& device, const Rope& rope, size_t length,
                                                 size_t dim) {
  auto found =
      std::ranges::find_if(rotary_, [&](const Rotary& one) { return one.rope == rope && one.dim == dim; });
  if (found == rotary_.end())
    found = rotary_.insert(found, Rotary{.rope = rope, .dim = dim, .cosine = {}, .sine = {}});
  if (found->length < length) {  // token after token, it is made anew few times
    found->length = std::max(length, 2 * found->length);
    const RotaryTable table = rotary_table(found->length, dim, rope);
    found->cosine = DeviceMatrix::of(device, table.cosine.view(), "the rotary positions");
    found->sine = DeviceMatrix::of(device, table.sine.view(), "the rotary positions");
  }
  return *found;
}

size_t block_floats(const ModelConfig& config) {
  return 2 * config.hidden + branch_floats(config) + mlp_width(config);
}

struct DecoderBlock::Run {
  Device& device;
  BlockProducts& products;
  BlockBuffers& buffers;
  size_t length;  // of each sequence
  const LayerCache* cache;
};

DecoderBlock DecoderBlock::load(Device& device, const Model& model, size_t layer, ThreadPool& pool) {
  DecoderBlock block;
  block.config_ = model.config();
  block.layer_ = layer;
  check_head_dim(block.config_.head_dim);
  const auto& names = model.config().architecture->norms;
  for (size_t which = 0; which < kLayerNorms; ++which)
    if (names[which])
      block.norms_[which] = DeviceNorm(
          device, taken(Norm::load(model, layer_prefix(model.config(), layer) + names[which], pool)));
  for (size_t input = 0; input < kLinearInputs; ++input)
    block.biases_[input] = load_biases(device, model, layer, LinearInput(input), pool);
  return block;
}

void DecoderBlock::forward(Device& device, BlockProducts& products, DeviceView<const float> input,
                           size_t length, DeviceView<float> output, BlockBuffers& buffers,
                           const DeviceSink& sink, LinearInput last) const {
  run({device, products, buffers, length, nullptr}, input, output, sink, last);
}

void DecoderBlock::extend(Device& device, BlockProducts& products, DeviceView<float> x,
                          const LayerCache& cache, BlockBuffers& buffers) const {
  run({device, products, buffers, x.rows, &cache}, x, x, {}, LinearInput::MlpHidden);
}

DeviceView<const float> DecoderBlock::normed_first(const Run& run, LayerNorm which, DeviceView<const float> x,
                                                   DeviceView<float> scratch) const {
  if (!config_.norm_first) return x;
  norm(which).apply(run.device, x, scratch);
  return scratch;
}

void DecoderBlock::project(const Run& run, LinearInput input, DeviceView<const float> x, float beta,
                           DeviceView<float> out) const {
  run.products.project(input, x, beta, out);
  if (const DeviceMatrix& bias = biases_[size_t(input)]) add_bias(run.device, out, bias.data());
}

void DecoderBlock::add_branch(const Run& run, LinearInput input, DeviceView<const float> x, LayerNorm before,
                              LayerNorm after, DeviceView<float> residual, DeviceView<float> scratch) const {
  if (norm(after).exists()) {
    project(run, input, x, 0.0f, scratch);
    norm(after).apply(run.device, scratch, scratch);
    add_rows(run.device, residual, scratch);
  } else {
    project(run, input, x, 1.0f, residual);
  }
  if (!config_.norm_first) norm(before).apply(run.device, residual, residual);
}

void DecoderBlock::attend(const Run& run, DeviceView<float> qkv, DeviceView<float> out) const {
  const size_t dim = config_.head_dim, tokens = qkv.rows;
  const size_t q_width = config_.heads * dim, kv_width = config_.kv_heads * dim;
  const DeviceView<float> q = qkv.block(0, 0, tokens, q_width), k = qkv.block(0, q_width, tokens, kv_width);
  const DeviceView<float> v = qkv.block(0, q_width + kv_width, tokens, kv_width);
  const LayerCache* cache = run.cache;
  const LayerAttention& layer = config_.attention[layer_];
  const Places places{.length = run.length,
                      .past = cache ? cache->past : 0,
                      .past_on_card = cache ? cache->past_on_card : nullptr};
  HeadChange change;
  if (!config_.ropes.empty()) {
    const size_t positions = places.past_on_card ? cache->keys.rows : places.past + run.length;
    const auto& rotary = run.buffers.rotary(run.device, config_.ropes[layer.rope], positions, dim);
    change.cosine = rotary.cosine.data();
    change.sine = rotary.sine.data();
  }
  const DeviceNorm &query_norm = norm(LayerNorm::Query), &key_norm = norm(LayerNorm::Key);
  if (query_norm.exists() || key_norm.exists()) {
    change.norm = query_norm.exists() ? query_norm.view() : NormView{};
    place_heads(run.device, change, q, dim, places);
    change.norm = key_norm.exists() ? key_norm.view() : NormView{};
    place_heads(run.device, change, k, dim, places);
  } else {  // side by side, and all alike
    place_heads(run.device, change, qkv.block(0, 0, tokens, q_width + kv_width), dim, places);
  }
  const AttentionShape shape{.length = run.length,
                             .past = places.past,
                             .heads = config_.heads,
                             .kv_heads = config_.kv_heads,
                             .head_dim = dim,
                             .scale = float(config_.attention_scale),
                             .cap = float(config_.attention_cap),
                             .window = layer.window};
  if (!cache) return causal_attention(run.device, shape, q, k, v, out);
  append_rows(run.device, qkv.block(0, q_width, tokens, 2 * kv_width), cache->keys, cache->values, places);
  if (tokens > 1) return causal_attention(run.device, shape, q, cache->keys, cache->values, out);
  const QueryAttention query{shape, cache->keys.rows, places.past_on_card};
  const auto parts = room(run.device, run.buffers.query_, 1, query_attention_floats(query));
  attend_query(run.device, query, q, cache->keys, cache->values, parts.data, out);
}

void DecoderBlock::run(const Run& run, DeviceView<const float> input, DeviceView<float> output,
                       const DeviceSink& sink, LinearInput last) const {
  Device& device = run.device;
  BlockBuffers& buffers = run.buffers;
  const size_t tokens = input.rows;
  // Whether anything is wanted beyond this input.
  const auto give = [&](LinearInput which, DeviceView<const float> x, DeviceView<const float> stream = {}) {
    if (sink) sink(which, x, stream);
    return output.data || which != last;
  };
  const DeviceView<float> residual =
      output.data ? output : room(device, buffers.residual_, tokens, config_.hidden);
  const DeviceView<float> scratch = room(device, buffers.scratch_, tokens, config_.hidden);
  // A branch's output is added to it, or its norm.
  const auto added_to = [&](LayerNorm after) {
    return norm(after).exists() ? DeviceView<const float>() : DeviceView<const float>(residual);
  };

  // x + attention(norm(x))
  const auto attention = normed_first(run, LayerNorm::Attention, input, scratch);
  if (!give(LinearInput::Attention, attention)) return;
  const size_t qkv_width = width_of(Width::QueriesKeysValues, config_);
  const size_t queries = width_of(Width::Queries, config_);
  float* branch = room(device, buffers.branch_, tokens, branch_floats(config_)).data;
  const DeviceView<float> qkv{branch, tokens, qkv_width, qkv_width};
  project(run, LinearInput::Attention, attention, 0.0f, qkv);
  const DeviceView<float> attended{branch + tokens * qkv_width, tokens, queries, queries};
  attend(run, qkv, attended);
  if (input.data != residual.data) copy_rows(device, input, residual);
  if (!give(LinearInput::AttentionOutput, attended, added_to(LayerNorm::AttentionOutput))) return;
  add_branch(run, LinearInput::AttentionOutput, attended, LayerNorm::Attention, LayerNorm::AttentionOutput,
             residual, scratch);

  // x + mlp(norm(x))
  const auto mlp = normed_first(run, LayerNorm::Mlp, residual, scratch);
  if (!give(LinearInput::Mlp, mlp)) return;
  const DeviceView<float> gate_up = room(device, buffers.mlp_, tokens, mlp_width(config_));
  project(run, LinearInput::Mlp, mlp, 0.0f, gate_up);
  // Where the attention's numbers were.
  const DeviceView<float> hidden{branch, tokens, config_.intermediate, config_.intermediate};
  activate(device, config_.architecture->mlp, gate_up, hidden);
  if (!give(LinearInput::MlpHidden, hidden, added_to(LayerNorm::MlpOutput))) return;
  add_branch(run, LinearInput::MlpHidden, hidden, LayerNorm::Mlp, LayerNorm::MlpOutput, residual, scratch);
}

}  // namespace signum::cuda
