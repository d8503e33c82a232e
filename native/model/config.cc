#include "model/config.h"

#include <cmath>
#include <filesystem>

#include "file/json_file.h"
#include "model/config_attention.h"
#include "model/config_fields.h"
#include "model/refused_models.h"

namespace signum {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kLargestConfig = size_t(16) << 20;  // bytes; real ones have a few thousand
constexpr size_t kWidest = size_t(1) << 20;

Result<Json> read_json(const std::string& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored))
    return Error{"not_a_model_folder", "There is no folder " + folder + ".", ""};
  if (!fs::is_directory(folder, ignored))
    return Error{"not_a_model_folder", folder + " is not a folder; give the folder that holds config.json.",
                 ""};
  const fs::path path = fs::path(folder) / "config.json";
  if (!fs::is_regular_file(path, ignored))
    return Error{"not_a_model_folder", "There is no config.json in " + folder + ".", ""};
  SIGNUM_TAKE(const std::string text, read_text_file(path.string(), kLargestConfig));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return config_invalid("the file is not JSON.");
  if (!json.is_object())
    return config_invalid("the file must hold one JSON object, but it holds " + shown(json) + ".");
  return json;
}

Result<const Architecture*> find_architecture(const Json& json) {
  Fields fields(json);
  const std::string model_type = fields.text("model_type", "");
  if (fields.error()) return *fields.error();
  std::string name;
  if (const Json* list = fields.find("architectures")) {
    if (!list->is_array() || list->empty() || !list->front().is_string())
      return config_invalid("architectures must be a list of names, but it is " + shown(*list) + ".");
    name = list->front().get<std::string>();
  } else if (model_type.empty()) {
    return config_invalid("architectures is missing.");
  }
  for (const Architecture& architecture : architectures())
    if ((name.empty() || name == architecture.name) &&
        (model_type.empty() || model_type == architecture.model_type))
      return &architecture;
  return unknown_architecture(json, name, model_type);
}

void read_sizes(Fields& fields, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  config.hidden = fields.whole("hidden_size", 1, kWidest);
  config.intermediate = fields.whole(architecture.intermediate_key, 1, kWidest);
  config.layers = fields.whole("num_hidden_layers", 1, 10000);
  config.heads = fields.whole("num_attention_heads", 1, 65536);
  config.kv_heads = fields.whole("num_key_value_heads", 1, 65536, config.heads);
  config.vocabulary = fields.whole("vocab_size", 1, size_t(1) << 28);
  config.context = fields.whole("max_position_embeddings", 1, size_t(1) << 30, architecture.context);
  const size_t usual = architecture.head_dim > 0 ? architecture.head_dim : config.hidden / config.heads;
  config.head_dim = fields.whole("head_dim", 1, 65536, usual);
  config.embedding_width = architecture.project_in
                               ? fields.whole("word_embed_proj_dim", 1, kWidest, config.hidden)
                               : config.hidden;
}

// 0 where config.json says null.
double read_cap(Fields& fields, const char* key, double otherwise) {
  if (fields.is_null(key)) return 0;
  return otherwise > 0 || fields.find(key) ? fields.positive(key, otherwise) : 0;
}

void read_scales(Fields& fields, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  const double divisor =
      architecture.query_scalar ? fields.positive("query_pre_attn_scalar", 256.0) : double(config.head_dim);
  config.attention_scale = 1 / std::sqrt(divisor);
  if (architecture.scaled_embedding) config.embedding_scale = std::sqrt(double(config.hidden));
  if (!architecture.soft_caps) return;
  config.attention_cap = read_cap(fields, "attn_logit_softcapping", architecture.attention_cap);
  config.final_cap = read_cap(fields, "final_logit_softcapping", architecture.final_cap);
}

void read_norms(Fields& fields, ModelConfig& config) {
  const Architecture& architecture = *config.architecture;
  config.norm_epsilon = architecture.epsilon;
  if (architecture.norm != NormKind::Layer) {
    config.norm_epsilon = fields.positive("rms_norm_eps", architecture.epsilon);
    return;
  }
  if (!fields.flag("layer_norm_elementwise_affine", true))
    fields.refuse(unsupported_option("layer_norm_elementwise_affine", "false", "true"));
  config.norm_first = fields.flag("do_layer_norm_before", true);
  config.final_norm = config.norm_first && !fields.flag("_remove_final_layer_norm", false);
}

void read_biases(Fields& fields, ModelConfig& config) {
  for (const BiasRule& rule : config.architecture->biases)
    if (!rule.key || fields.flag(rule.key, rule.otherwise))
      for (size_t input = 0; input < kLinearInputs; ++input) config.biased[input] |= rule.inputs[input];
}

// Options that the decoder block does not have.
void refuse_options(Fields& fields, const Architecture& architecture) {
  const std::string usual = activation_name(architecture.mlp);
  const std::string activation = fields.text(architecture.activation_key, usual);
  if (activation != usual) fields.refuse(unsupported_option(architecture.activation_key, activation, usual));
  if (fields.flag("use_bidirectional_attention", false))
    fields.refuse(unsupported_option("use_bidirectional_attention", "true", "false"));
}

Status check_heads(const Fields& fields, const ModelConfig& config) {
  const auto number = [](size_t value) { return std::to_string(value); };
  const bool own_head_dim = fields.find("head_dim") || config.architecture->head_dim > 0;
  if (!own_head_dim && config.hidden % config.heads != 0)
    return config_invalid("hidden_size " + number(config.hidden) +
                          " must be a multiple of num_attention_heads " + number(config.heads) + ".");
  if (config.heads % config.kv_heads != 0)
    return config_invalid("num_attention_heads " + number(config.heads) +
                          " must be a multiple of num_key_value_heads " + number(config.kv_heads) + ".");
  if (!config.architecture->positions && config.head_dim % 2 != 0)
    return config_invalid("head_dim must be even for rotary positions, but it is " + number(config.head_dim) +
                          ".");
  return {};
}

}  // namespace

Result<ModelConfig> read_config(const std::string& folder) {
  SIGNUM_TAKE(const Json json, read_json(folder));
  SIGNUM_TRY(refuse_quantized(json));
  ModelConfig config;
  SIGNUM_TAKE(config.architecture, find_architecture(json));

  Fields fields(json);
  read_sizes(fields, config);
  read_norms(fields, config);
  config.tied = fields.flag("tie_word_embeddings", config.architecture->tied);
  refuse_options(fields, *config.architecture);
  if (fields.error()) return *fields.error();  // the layers' number is known from here on
  read_attention(fields, config);
  read_scales(fields, config);
  read_biases(fields, config);
  if (fields.error()) return *fields.error();
  SIGNUM_TRY(check_heads(fields, config));
  return config;
}

}  // namespace signum
