#include "model/config.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "file/json_file.h"
#include "model/architecture.h"

namespace signum {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t kLargestConfig = size_t(16) << 20;  // bytes; real ones have a few thousand

// A value as a person may read it in a message: short.
std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

Error invalid(const std::string& message) { return {"config_invalid", "config.json: " + message, ""}; }

// Reads the fields of one object; the first wrong one is kept as the error.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  // Absent and null are the same, as in transformers.
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  size_t whole(const char* key, size_t low, size_t high, std::optional<size_t> otherwise = std::nullopt) {
    const Json* value = find(key);
    if (!value) return otherwise ? *otherwise : missing(key);
    if (value->is_number_integer() && (value->is_number_unsigned() || value->get<int64_t>() >= 0)) {
      const uint64_t number = value->get<uint64_t>();
      if (number >= low && number <= high) return number;
    }
    return wrong(key, "a whole number from " + std::to_string(low) + " to " + std::to_string(high), *value);
  }

  double positive(const char* key, double otherwise) {
    const Json* value = find(key);
    if (!value) return otherwise;
    if (value->is_number()) {
      const double number = value->get<double>();
      if (std::isfinite(number) && number > 0) return number;
    }
    return double(wrong(key, "a number above 0", *value));
  }

  bool flag(const char* key, bool otherwise) {
    const Json* value = find(key);
    if (!value) return otherwise;
    if (value->is_boolean()) return value->get<bool>();
    return wrong(key, "true or false", *value) != 0;
  }

  std::string text(const char* key, const char* otherwise) {
    const Json* value = find(key);
    if (!value) return otherwise;
    if (value->is_string()) return value->get<std::string>();
    wrong(key, "a text", *value);
    return otherwise;
  }

  void refuse(const Error& error) {
    if (!error_) error_ = error;
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  size_t missing(const char* key) {
    refuse(invalid(std::string(key) + " is missing."));
    return 1;
  }
  size_t wrong(const char* key, const std::string& wanted, const Json& value) {
    refuse(invalid(std::string(key) + " must be " + wanted + ", but it is " + shown(value) + "."));
    return 1;
  }

  const Json& object_;
  std::optional<Error> error_;
};

Error unsupported_option(const std::string& key, const std::string& given, const std::string& supported) {
  return {
      "architecture_unsupported",
      "This model uses " + key + " " + given + ", which is not supported yet; supported: " + supported + ".",
      "config.json: " + key};
}

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
  if (json.is_discarded()) return invalid("the file is not JSON.");
  if (!json.is_object())
    return invalid("the file must hold one JSON object, but it holds " + shown(json) + ".");
  return json;
}

Result<const Architecture*> find_architecture(const Json& json) {
  Fields fields(json);
  const std::string model_type = fields.text("model_type", "");
  if (fields.error()) return *fields.error();
  std::string name;
  if (const Json* list = fields.find("architectures")) {
    if (!list->is_array() || list->empty() || !list->front().is_string())
      return invalid("architectures must be a list of names, but it is " + shown(*list) + ".");
    name = list->front().get<std::string>();
  } else if (model_type.empty()) {
    return invalid("architectures is missing.");
  }
  for (const Architecture& architecture : architectures())
    if ((name.empty() || name == architecture.name) &&
        (model_type.empty() || model_type == architecture.model_type))
      return &architecture;
  std::string given = name.empty() ? model_type : name;
  if (!name.empty() && !model_type.empty()) given += " (" + model_type + ")";
  return Error{
      "architecture_unsupported",
      "The architecture " + given + " is not supported; supported: " + supported_architectures() + ".", ""};
}

Status refuse_quantized(const Json& json) {
  const auto found = json.find("quantization_config");
  if (found == json.end() || found->is_null()) return {};
  std::string how;
  if (found->is_object() && found->contains("quant_method") && (*found)["quant_method"].is_string())
    how = " (" + (*found)["quant_method"].get<std::string>() + ")";
  return Error{"already_quantized", "This model is already quantized" + how + "; give the original one.",
               "config.json: quantization_config"};
}

// Options of the architecture that the decoder block does not have.
void refuse_options(Fields& fields) {
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (fields.flag(key, false)) fields.refuse(unsupported_option(key, "true", "false"));
  const std::string activation = fields.text("hidden_act", "silu");
  if (activation != "silu") fields.refuse(unsupported_option("hidden_act", activation, "silu"));
  if (const Json* scaling = fields.find("rope_scaling"))
    fields.refuse(unsupported_option("rope_scaling", shown(*scaling), "null"));
  if (const Json* share = fields.find("partial_rotary_factor"); share && *share != 1.0)
    fields.refuse(unsupported_option("partial_rotary_factor", shown(*share), "1"));
}

// transformers 5 moved rope_theta and the former rope_scaling into rope_parameters.
double read_rope_theta(Fields& fields) {
  constexpr double kDefault = 10000.0;
  const Json* parameters = fields.find("rope_parameters");
  if (!parameters) return fields.positive("rope_theta", kDefault);
  if (!parameters->is_object()) {
    fields.refuse(invalid("rope_parameters must be an object, but it is " + shown(*parameters) + "."));
    return kDefault;
  }
  Fields inner(*parameters);
  if (const std::string type = inner.text("rope_type", "default"); type != "default")
    inner.refuse(unsupported_option("rope_parameters", shown(*parameters), "rope_type default"));
  const double theta = inner.positive("rope_theta", fields.positive("rope_theta", kDefault));
  if (inner.error()) fields.refuse(*inner.error());
  return theta;
}

}  // namespace

Result<ModelConfig> read_config(const std::string& folder) {
  SIGNUM_TAKE(const Json json, read_json(folder));
  SIGNUM_TRY(refuse_quantized(json));
  SIGNUM_TAKE(const Architecture* architecture, find_architecture(json));

  constexpr size_t kWidest = size_t(1) << 20;
  Fields fields(json);
  ModelConfig config;
  config.architecture = architecture;
  config.hidden = fields.whole("hidden_size", 1, kWidest);
  config.intermediate = fields.whole("intermediate_size", 1, kWidest);
  config.layers = fields.whole("num_hidden_layers", 1, 10000);
  config.heads = fields.whole("num_attention_heads", 1, 65536);
  config.kv_heads = fields.whole("num_key_value_heads", 1, 65536, config.heads);
  config.vocabulary = fields.whole("vocab_size", 1, size_t(1) << 28);
  config.context = fields.whole("max_position_embeddings", 1, size_t(1) << 30, 2048);
  config.norm_epsilon = fields.positive("rms_norm_eps", 1e-6);
  config.rope_theta = read_rope_theta(fields);
  config.tied = fields.flag("tie_word_embeddings", false);
  const bool own_head_dim = fields.find("head_dim") != nullptr;
  config.head_dim = fields.whole("head_dim", 1, 65536, config.hidden / config.heads);
  refuse_options(fields);
  if (fields.error()) return *fields.error();

  if (!own_head_dim && config.hidden % config.heads != 0)
    return invalid("hidden_size " + std::to_string(config.hidden) +
                   " must be a multiple of num_attention_heads " + std::to_string(config.heads) + ".");
  if (config.heads % config.kv_heads != 0)
    return invalid("num_attention_heads " + std::to_string(config.heads) +
                   " must be a multiple of num_key_value_heads " + std::to_string(config.kv_heads) + ".");
  if (config.head_dim % 2 != 0)
    return invalid("head_dim must be even for rotary positions, but it is " +
                   std::to_string(config.head_dim) + ".");
  return config;
}

}  // namespace signum
