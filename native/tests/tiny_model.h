// Small random models, as data that a test can break, and their folders.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/half.h"
#include "file/safetensors.h"
#include "tests/temporary_folder.h"

struct TinyTensor {
  std::vector<size_t> shape;
  std::vector<float> values;
};

struct TinyModel {
  // Queries are 6 heads of 10 = 60 wide, unlike the hidden width.
  size_t hidden = 24, intermediate = 40, layers = 2, heads = 6, kv_heads = 2, head_dim = 10, vocabulary = 37;
  size_t context = 160;
  double epsilon = 1e-5, theta = 10000;
  bool tied = false;
  std::string architecture = "LlamaForCausalLM", model_type = "llama";
  std::map<std::string, std::string> options = {};  // further fields of config.json, as JSON text
  std::map<std::string, TinyTensor> tensors = {};

  const TinyTensor& tensor(const std::string& name) const { return tensors.at(name); }
  double number(const std::string& option) const { return std::stod(options.at(option)); }

  std::string config() const {
    const auto field = [](const char* key, auto value) {
      return std::string(", \"") + key + "\": " + std::to_string(value);
    };
    std::string more;
    for (const auto& [key, value] : options) more += ", \"" + key + "\": " + value;
    return "{\"architectures\": [\"" + architecture + "\"], \"model_type\": \"" + model_type + "\"" +
           field("hidden_size", hidden) + field("intermediate_size", intermediate) +
           field("num_hidden_layers", layers) + field("num_attention_heads", heads) +
           field("num_key_value_heads", kv_heads) + field("head_dim", head_dim) +
           field("vocab_size", vocabulary) + field("max_position_embeddings", context) +
           field("rms_norm_eps", epsilon) + field("rope_theta", theta) +
           ", \"tie_word_embeddings\": " + (tied ? "true" : "false") + more + "}";
  }
};

// Adds random tensors to a model.
struct TensorFiller {
  TinyModel& model;
  std::mt19937 source;

  TensorFiller(TinyModel& filled, uint32_t seed) : model(filled), source(seed) {}
  // Even from middle - spread to middle + spread.
  void operator()(const std::string& name, std::vector<size_t> shape, float middle, float spread) {
    size_t count = 1;
    for (const size_t side : shape) count *= side;
    TinyTensor tensor{shape, std::vector<float>(count)};
    for (float& value : tensor.values) value = middle + spread * (float(source()) / 2147483648.0f - 1.0f);
    model.tensors[name] = tensor;
  }
};

// Fills every tensor of the sizes given. Weights so large that each part matters; norms around 1.
inline void randomize(TinyModel& model, uint32_t seed) {
  TensorFiller add(model, seed);
  const size_t queries = model.heads * model.head_dim, keys = model.kv_heads * model.head_dim;
  add("model.embed_tokens.weight", {model.vocabulary, model.hidden}, 0, 1);
  for (size_t i = 0; i < model.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    add(layer + "input_layernorm.weight", {model.hidden}, 1, 0.5f);
    add(layer + "post_attention_layernorm.weight", {model.hidden}, 1, 0.5f);
    add(layer + "self_attn.q_proj.weight", {queries, model.hidden}, 0, 0.5f);
    add(layer + "self_attn.k_proj.weight", {keys, model.hidden}, 0, 0.5f);
    add(layer + "self_attn.v_proj.weight", {keys, model.hidden}, 0, 0.5f);
    add(layer + "self_attn.o_proj.weight", {model.hidden, queries}, 0, 0.2f);
    add(layer + "mlp.gate_proj.weight", {model.intermediate, model.hidden}, 0, 0.4f);
    add(layer + "mlp.up_proj.weight", {model.intermediate, model.hidden}, 0, 0.4f);
    add(layer + "mlp.down_proj.weight", {model.hidden, model.intermediate}, 0, 0.3f);
  }
  add("model.norm.weight", {model.hidden}, 1, 0.5f);
  if (!model.tied) add("lm_head.weight", {model.vocabulary, model.hidden}, 0, 0.5f);
}

inline TinyModel random_tiny_model(uint32_t seed) {
  TinyModel model;
  randomize(model, seed);
  return model;
}

// Rounds every weight to what the dtype can hold.
inline void round_to(TinyModel& model, signum::DType dtype) {
  for (auto& [name, tensor] : model.tensors)
    for (float& value : tensor.values) {
      if (dtype == signum::DType::F16) value = signum::half_to_float(signum::float_to_half(value));
      if (dtype == signum::DType::BF16) value = signum::bfloat_to_float(signum::float_to_bfloat(value));
    }
}

inline std::vector<uint8_t> stored_bytes(const TinyTensor& tensor, signum::DType dtype) {
  std::vector<uint8_t> bytes(tensor.values.size() * signum::dtype_bytes(dtype));
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    const uint16_t half = dtype == signum::DType::F16 ? signum::float_to_half(tensor.values[i])
                                                      : signum::float_to_bfloat(tensor.values[i]);
    if (dtype == signum::DType::F32)
      std::memcpy(&bytes[4 * i], &tensor.values[i], 4);
    else
      std::memcpy(&bytes[2 * i], &half, 2);
  }
  return bytes;
}

// One safetensors file with these tensors of the model.
inline void write_shard(const TinyModel& model, const std::vector<std::string>& names,
                        const std::string& path, signum::DType dtype = signum::DType::F32) {
  std::vector<std::vector<uint8_t>> bytes;
  for (const std::string& name : names) bytes.push_back(stored_bytes(model.tensors.at(name), dtype));
  std::vector<signum::TensorToWrite> tensors;
  for (size_t i = 0; i < names.size(); ++i)
    tensors.push_back({names[i], dtype, model.tensors.at(names[i]).shape, bytes[i]});
  const auto written = signum::write_safetensors(path, tensors, {{"format", "pt"}}, false);
  if (!written.ok()) throw std::runtime_error(written.error().message);
}

inline std::vector<std::string> tensor_names(const TinyModel& model) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.tensors) names.push_back(name);
  return names;
}

// config.json and model.safetensors.
inline void write_model(const TinyModel& model, const std::string& folder,
                        signum::DType dtype = signum::DType::F32) {
  std::filesystem::create_directories(folder);
  write_bytes(folder + "/config.json", model.config());
  write_shard(model, tensor_names(model), folder + "/model.safetensors", dtype);
}

// config.json, three shards with the tensors dealt out in turn, and the index.
inline void write_sharded(const TinyModel& model, const std::string& folder) {
  std::filesystem::create_directories(folder);
  write_bytes(folder + "/config.json", model.config());
  std::map<std::string, std::vector<std::string>> shards;
  std::string map;
  size_t turn = 0;
  for (const std::string& name : tensor_names(model)) {
    const std::string file = "model-0000" + std::to_string(1 + turn++ % 3) + "-of-00003.safetensors";
    shards[file].push_back(name);
    map += (map.empty() ? "\"" : ", \"") + name + "\": \"" + file + "\"";
  }
  for (const auto& [file, names] : shards) write_shard(model, names, folder + "/" + file);
  write_bytes(folder + "/model.safetensors.index.json",
              "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {" + map + "}}");
}
