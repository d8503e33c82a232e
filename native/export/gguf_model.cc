#include "export/gguf_model.h"

#include <algorithm>
#include <filesystem>
#include <span>

namespace signum {
namespace {

struct Family {
  const char* architecture;  // in config.json
  const char* name;          // general.architecture
};
constexpr Family kFamilies[] = {
    {"LlamaForCausalLM", "llama"},
};

const Family* family_of(const Model& model) {
  for (const Family& family : kFamilies)
    if (std::string_view(family.architecture) == model.config().architecture->name) return &family;
  return nullptr;
}

// The model's name: its folder's, of a packed model the run's.
std::string model_name(const Model& model) {
  std::filesystem::path folder = std::filesystem::path(model.folder()).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (folder.filename() == "packed" && folder.has_parent_path()) folder = folder.parent_path();
  return folder.filename().string();
}

Error unsupported(const char* what) {
  return {"export_unsupported",
          std::string("This model uses ") + what + ", which a GGUF file cannot take yet.", ""};
}

}  // namespace

Result<std::string> gguf_architecture(const Model& model) {
  const ModelConfig& config = model.config();
  if (const Family* family = family_of(model)) {
    if (std::ranges::find(config.biased, true) != config.biased.end()) return unsupported("biases");
    if (config.ropes[0].scaling != Rope::Scaling::None) return unsupported("rope_scaling");
    return std::string(family->name);
  }
  std::string known;
  for (const Family& family : kFamilies)
    known += (known.empty() ? "" : ", ") + std::string(family.architecture);
  return Error{"export_unsupported",
               std::string("llama.cpp does not know the family ") + model.config().architecture->name +
                   "; a GGUF file can be made of " + known + ".",
               ""};
}

void add_gguf_metadata(const Model& model, GgufType type, GgufMetadata& metadata) {
  const ModelConfig& config = model.config();
  const std::string family = family_of(model)->name;
  const auto key = [&](const char* name) { return family + "." + name; };
  metadata.add("general.architecture", family);
  metadata.add("general.type", "model");
  metadata.add("general.name", model_name(model));
  metadata.add("general.file_type", gguf_traits(type).file_type);
  metadata.add("general.quantization_version", uint32_t(2));
  metadata.add(key("vocab_size"), uint32_t(config.vocabulary));
  metadata.add(key("context_length"), uint32_t(config.context));
  metadata.add(key("embedding_length"), uint32_t(config.hidden));
  metadata.add(key("block_count"), uint32_t(config.layers));
  metadata.add(key("feed_forward_length"), uint32_t(config.intermediate));
  metadata.add(key("attention.head_count"), uint32_t(config.heads));
  metadata.add(key("attention.head_count_kv"), uint32_t(config.kv_heads));
  metadata.add(key("attention.key_length"), uint32_t(config.head_dim));
  metadata.add(key("attention.value_length"), uint32_t(config.head_dim));
  metadata.add(key("attention.layer_norm_rms_epsilon"), float(config.norm_epsilon));
  metadata.add(key("rope.dimension_count"), uint32_t(config.head_dim));
  metadata.add(key("rope.freq_base"), float(config.ropes[0].theta));
}

}  // namespace signum
