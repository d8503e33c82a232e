#include "model/refused_models.h"

#include <algorithm>
#include <cctype>

#include "model/architecture.h"

namespace signum {
namespace {

using Json = nlohmann::json;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

bool has_any(const Json& config, std::initializer_list<const char*> keys) {
  return std::ranges::any_of(keys, [&](const char* key) {
    const auto found = config.find(key);
    return found != config.end() && !found->is_null();
  });
}

bool names_any(const std::string& name, std::initializer_list<const char*> parts) {
  return std::ranges::any_of(parts, [&](const char* part) { return name.find(part) != std::string::npos; });
}

// Names and keys as the models of the hub have them.
bool is_mixture(const Json& config, const std::string& name) {
  return names_any(name, {"moe", "mixtral", "deepseekv", "dbrx", "gptoss", "gpt_oss", "jamba", "llama4"}) ||
         has_any(config, {"num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"});
}

bool is_multimodal(const Json& config, const std::string& name) {
  return names_any(name, {"conditionalgeneration", "vision"}) ||
         has_any(config, {"vision_config", "audio_config"});
}

}  // namespace

Status refuse_quantized(const Json& config) {
  for (const char* key : {"quantization_config", "quantization"}) {  // the second: MLX
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) continue;
    std::string how;
    if (found->is_object() && found->contains("quant_method") && (*found)["quant_method"].is_string())
      how = " (" + (*found)["quant_method"].get<std::string>() + ")";
    return Error{"already_quantized", "This model is already quantized" + how + "; give the original one.",
                 std::string("config.json: ") + key};
  }
  return {};
}

Error unknown_architecture(const Json& config, const std::string& name, const std::string& model_type) {
  std::string given = name.empty() ? model_type : name;
  if (!name.empty() && !model_type.empty()) given += " (" + model_type + ")";
  const std::string names = lower(name + " " + model_type), supported = supported_architectures();
  std::string message = "The architecture " + given + " is not supported; supported: " + supported + ".";
  if (is_mixture(config, names))
    message = "The architecture " + given +
              " is a mixture of experts, which is not supported; supported: " + supported + ".";
  else if (is_multimodal(config, names))
    message = "The architecture " + given +
              " reads more than text, which is not supported; supported: " + supported + ".";
  return {"architecture_unsupported", message, ""};
}

}  // namespace signum
