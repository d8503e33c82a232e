// What differs between model families, as tables over one decoder block. A new family is a new row in
// architecture.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "model/config.h"

namespace signum {

// The distinct inputs of a decoder layer's linears; linears with the same input share one Hessian.
enum class LinearInput : uint8_t { Attention, AttentionOutput, Mlp, MlpHidden };
inline constexpr size_t kLinearInputs = 4;
const char* linear_input_name(
    LinearInput input);  // "attention input", "attention output", "mlp input", "mlp hidden"

// What a linear does in the block.
enum class LinearRole : uint8_t { Query, Key, Value, Output, Gate, Up, Down };

// A size of the configuration that a tensor's side has.
enum class Width : uint8_t { Hidden, Queries, KeyValues, Intermediate, Vocabulary };
size_t width_of(Width width, const ModelConfig& config);

struct LinearRule {
  LinearRole role;
  const char* kind;    // last part of the name: "q_proj"
  const char* module;  // below the layer: "self_attn.q_proj"
  Width rows;          // outputs
  Width columns;       // inputs
  LinearInput input;
};

struct Architecture {
  const char* name;                     // in config.json's architectures: "LlamaForCausalLM"
  const char* model_type;               // in config.json: "llama"
  const char* layers;                   // prefix of the layers: "model.layers."
  std::span<const LinearRule> linears;  // order of a layer's linears everywhere in the program
  const char* attention_norm;           // below the layer: "input_layernorm.weight"
  const char* mlp_norm;
  const char* embedding;  // whole names from here on
  const char* final_norm;
  const char* head;
};

std::span<const Architecture> architectures();
// "LlamaForCausalLM, ...": for messages.
std::string supported_architectures();

}  // namespace signum
