#include "model/architecture.h"

namespace signum {
namespace {

using enum LinearRole;

constexpr LinearRule kLlamaLinears[] = {
    {Query, "q_proj", "self_attn.q_proj", Width::Queries, Width::Hidden, LinearInput::Attention},
    {Key, "k_proj", "self_attn.k_proj", Width::KeyValues, Width::Hidden, LinearInput::Attention},
    {Value, "v_proj", "self_attn.v_proj", Width::KeyValues, Width::Hidden, LinearInput::Attention},
    {Output, "o_proj", "self_attn.o_proj", Width::Hidden, Width::Queries, LinearInput::AttentionOutput},
    {Gate, "gate_proj", "mlp.gate_proj", Width::Intermediate, Width::Hidden, LinearInput::Mlp},
    {Up, "up_proj", "mlp.up_proj", Width::Intermediate, Width::Hidden, LinearInput::Mlp},
    {Down, "down_proj", "mlp.down_proj", Width::Hidden, Width::Intermediate, LinearInput::MlpHidden},
};

constexpr Architecture kArchitectures[] = {
    {.name = "LlamaForCausalLM",
     .model_type = "llama",
     .layers = "model.layers.",
     .linears = kLlamaLinears,
     .attention_norm = "input_layernorm.weight",
     .mlp_norm = "post_attention_layernorm.weight",
     .embedding = "model.embed_tokens.weight",
     .final_norm = "model.norm.weight",
     .head = "lm_head.weight"},
};

}  // namespace

const char* linear_input_name(LinearInput input) {
  constexpr const char* names[] = {"attention input", "attention output", "mlp input", "mlp hidden"};
  return names[size_t(input)];
}

size_t width_of(Width width, const ModelConfig& config) {
  switch (width) {
    case Width::Hidden:
      return config.hidden;
    case Width::Queries:
      return config.heads * config.head_dim;
    case Width::KeyValues:
      return config.kv_heads * config.head_dim;
    case Width::Intermediate:
      return config.intermediate;
    case Width::Vocabulary:
      return config.vocabulary;
  }
  return 0;
}

std::span<const Architecture> architectures() { return kArchitectures; }

std::string supported_architectures() {
  std::string names;
  for (const Architecture& architecture : kArchitectures)
    names += (names.empty() ? "" : ", ") + std::string(architecture.name);
  return names;
}

}  // namespace signum
