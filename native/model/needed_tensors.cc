#include "model/needed_tensors.h"

namespace signum {
namespace {

void add_norm(const ModelConfig& config, const std::string& name, size_t width,
              std::vector<NeededTensor>& list) {
  list.push_back({name + ".weight", {width}});
  if (config.architecture->norm == NormKind::Layer) list.push_back({name + ".bias", {width}});
}

void add_layer(const ModelConfig& config, size_t layer, std::vector<NeededTensor>& list) {
  const Architecture& architecture = *config.architecture;
  const std::string prefix = layer_prefix(config, layer);
  for (size_t norm = 0; norm < kLayerNorms; ++norm) {
    const bool of_head = LayerNorm(norm) == LayerNorm::Query || LayerNorm(norm) == LayerNorm::Key;
    if (const char* name = architecture.norms[norm])
      add_norm(config, prefix + name, of_head ? config.head_dim : config.hidden, list);
  }
  for (const LinearRule& rule : architecture.linears)
    if (has_bias(config, rule.input))
      list.push_back({prefix + rule.module + ".bias", {width_of(rule.rows, config)}});
}

}  // namespace

std::vector<NeededTensor> needed_tensors(const ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  std::vector<NeededTensor> list;
  for (size_t layer = 0; layer < config.layers; ++layer) add_layer(config, layer, list);
  if (config.final_norm) add_norm(config, architecture.final_norm, config.hidden, list);
  if (architecture.positions)
    list.push_back({architecture.positions, {config.context + architecture.position_offset, config.hidden}});
  if (has_projections(config)) {
    list.push_back({architecture.project_in, {config.hidden, config.embedding_width}});
    list.push_back({architecture.project_out, {config.embedding_width, config.hidden}});
  }
  return list;
}

std::string layer_prefix(const ModelConfig& config, size_t layer) {
  return config.architecture->layers + std::to_string(layer) + ".";
}

bool has_bias(const ModelConfig& config, LinearInput input) { return config.biased[size_t(input)]; }

bool has_projections(const ModelConfig& config) { return config.embedding_width != config.hidden; }

}  // namespace signum
