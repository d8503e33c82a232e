// Models that are none of the supported families, told apart by what they are.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace signum {

// already_quantized: config.json says that the weights are quantized, and how.
Status refuse_quantized(const nlohmann::json& config);
// architecture_unsupported: a mixture of experts, a model of pictures or sound too, or just another one.
Error unknown_architecture(const nlohmann::json& config, const std::string& name,
                           const std::string& model_type);

}  // namespace signum
