#include "export/gguf_model.h"

#include <filesystem>

namespace signum {
namespace {

// The model's name: its folder's, of a packed model the run's.
std::string model_name(const Model& model) {
  std::filesystem::path folder = std::filesystem::path(model.folder()).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (folder.filename() == "packed" && folder.has_parent_path()) folder = folder.parent_path();
  return folder.filename().string();
}

// Llama 3's scaling is a tensor, not metadata (gguf_tensors.cc).
void add_positions(const ModelConfig& config, const std::string& prefix, GgufMetadata& metadata) {
  const Rope& global = config.ropes[0];
  metadata.add(prefix + "rope.dimension_count", uint32_t(config.head_dim));
  metadata.add(prefix + "rope.freq_base", float(global.theta));
  if (config.ropes.size() > 1) metadata.add(prefix + "rope.freq_base_swa", float(config.ropes[1].theta));
  if (global.scaling == Rope::Scaling::Linear) {
    metadata.add(prefix + "rope.scaling.type", "linear");
    metadata.add(prefix + "rope.scaling.factor", float(global.factor));
  }
}

}  // namespace

void add_gguf_metadata(const Model& model, const GgufFamily& family, GgufType type, GgufMetadata& metadata) {
  const ModelConfig& config = model.config();
  const std::string prefix = std::string(family.name) + ".";
  metadata.add("general.architecture", family.name);
  metadata.add("general.type", "model");
  metadata.add("general.name", model_name(model));
  metadata.add("general.file_type", gguf_traits(type).file_type);
  metadata.add("general.quantization_version", uint32_t(2));
  metadata.add(prefix + "vocab_size", uint32_t(config.vocabulary));
  metadata.add(prefix + "context_length", uint32_t(config.context));
  metadata.add(prefix + "embedding_length", uint32_t(config.hidden));
  metadata.add(prefix + "block_count", uint32_t(config.layers));
  metadata.add(prefix + "feed_forward_length", uint32_t(config.intermediate));
  metadata.add(prefix + "attention.head_count", uint32_t(config.heads));
  metadata.add(prefix + "attention.head_count_kv", uint32_t(config.kv_heads));
  metadata.add(prefix + "attention.key_length", uint32_t(config.head_dim));
  metadata.add(prefix + "attention.value_length", uint32_t(config.head_dim));
  metadata.add(prefix + "attention.layer_norm_rms_epsilon", float(config.norm_epsilon));
  add_positions(config, prefix, metadata);
  if (family.period > 0) metadata.add(prefix + "attention.sliding_window", uint32_t(window_of(config)));
  if (family.caps) {
    metadata.add(prefix + "attn_logit_softcapping", float(config.attention_cap));
    metadata.add(prefix + "final_logit_softcapping", float(config.final_cap));
  }
}

}  // namespace signum
