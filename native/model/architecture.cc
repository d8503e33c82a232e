#include "model/architecture.h"

#include "model/config.h"

namespace signum {
namespace {

using enum LinearInput;
using enum Width;

constexpr LinearRule kLlamaLinears[] = {
    {"q_proj", "self_attn.q_proj", Queries, Hidden, Attention},
    {"k_proj", "self_attn.k_proj", KeyValues, Hidden, Attention},
    {"v_proj", "self_attn.v_proj", KeyValues, Hidden, Attention},
    {"o_proj", "self_attn.o_proj", Hidden, Queries, AttentionOutput},
    {"gate_proj", "mlp.gate_proj", Intermediate, Hidden, Mlp},
    {"up_proj", "mlp.up_proj", Intermediate, Hidden, Mlp},
    {"down_proj", "mlp.down_proj", Hidden, Intermediate, MlpHidden},
};
constexpr LinearRule kPhi3Linears[] = {
    {"qkv_proj", "self_attn.qkv_proj", QueriesKeysValues, Hidden, Attention},
    {"o_proj", "self_attn.o_proj", Hidden, Queries, AttentionOutput},
    {"gate_up_proj", "mlp.gate_up_proj", GatesUps, Hidden, Mlp},
    {"down_proj", "mlp.down_proj", Hidden, Intermediate, MlpHidden},
};
constexpr LinearRule kOptLinears[] = {
    {"q_proj", "self_attn.q_proj", Queries, Hidden, Attention},
    {"k_proj", "self_attn.k_proj", KeyValues, Hidden, Attention},
    {"v_proj", "self_attn.v_proj", KeyValues, Hidden, Attention},
    {"out_proj", "self_attn.out_proj", Hidden, Queries, AttentionOutput},
    {"fc1", "fc1", Intermediate, Hidden, Mlp},
    {"fc2", "fc2", Hidden, Intermediate, MlpHidden},
};

// By LayerNorm: attention, attention output, query, key, mlp, mlp output.
using Norms = std::array<const char*, kLayerNorms>;
constexpr Norms kLlamaNorms = {"input_layernorm",          nullptr, nullptr, nullptr,
                               "post_attention_layernorm", nullptr};
constexpr Norms kQwen3Norms = {"input_layernorm",          nullptr, "self_attn.q_norm", "self_attn.k_norm",
                               "post_attention_layernorm", nullptr};
constexpr Norms kGemma2Norms = {"input_layernorm", "post_attention_layernorm",  nullptr,
                                nullptr,           "pre_feedforward_layernorm", "post_feedforward_layernorm"};
constexpr Norms kGemma3Norms = {"input_layernorm",           "post_attention_layernorm",
                                "self_attn.q_norm",          "self_attn.k_norm",
                                "pre_feedforward_layernorm", "post_feedforward_layernorm"};
constexpr Norms kOptNorms = {"self_attn_layer_norm", nullptr, nullptr, nullptr, "final_layer_norm", nullptr};

// By LinearInput: attention, attention output, mlp, mlp hidden.
constexpr BiasRule kLlamaBiases[] = {{"attention_bias", false, {true, true, false, false}},
                                     {"mlp_bias", false, {false, false, true, true}}};
constexpr BiasRule kQwen2Biases[] = {{nullptr, true, {true, false, false, false}}};
constexpr BiasRule kAttentionBiases[] = {{"attention_bias", false, {true, true, false, false}}};
constexpr BiasRule kOptBiases[] = {{"enable_bias", true, {true, true, true, true}}};

constexpr Architecture kArchitectures[] = {
    {.name = "LlamaForCausalLM",
     .model_type = "llama",
     .linears = kLlamaLinears,
     .norms = kLlamaNorms,
     .biases = kLlamaBiases},
    {.name = "MistralForCausalLM",
     .model_type = "mistral",
     .linears = kLlamaLinears,
     .norms = kLlamaNorms,
     .windows = Windows::Every,
     .context = 131072,
     .window = 4096},
    {.name = "Qwen2ForCausalLM",
     .model_type = "qwen2",
     .linears = kLlamaLinears,
     .norms = kLlamaNorms,
     .biases = kQwen2Biases,
     .windows = Windows::Upper,
     .context = 32768,
     .window = 4096},
    {.name = "Qwen3ForCausalLM",
     .model_type = "qwen3",
     .linears = kLlamaLinears,
     .norms = kQwen3Norms,
     .biases = kAttentionBiases,
     .windows = Windows::Upper,
     .head_dim = 128,
     .context = 32768,
     .window = 4096},
    {.name = "Gemma2ForCausalLM",
     .model_type = "gemma2",
     .linears = kLlamaLinears,
     .norms = kGemma2Norms,
     .norm = NormKind::RmsPlusOne,
     .mlp = MlpKind::GeluTanhGated,
     .biases = kAttentionBiases,
     .windows = Windows::Pattern,
     .scaled_embedding = true,
     .query_scalar = true,
     .soft_caps = true,
     .activation_key = "hidden_activation",
     .head_dim = 256,
     .context = 8192,
     .window = 4096,
     .pattern = 2,
     .attention_cap = 50,
     .final_cap = 30,
     .tied = true},
    {.name = "Gemma3ForCausalLM",
     .model_type = "gemma3_text",
     .linears = kLlamaLinears,
     .norms = kGemma3Norms,
     .norm = NormKind::RmsPlusOne,
     .mlp = MlpKind::GeluTanhGated,
     .biases = kAttentionBiases,
     .windows = Windows::Pattern,
     .scaled_embedding = true,
     .query_scalar = true,
     .soft_caps = true,
     .activation_key = "hidden_activation",
     .head_dim = 256,
     .context = 131072,
     .rope_theta = 1e6,
     .local_rope_theta = 10000,
     .window = 4096,
     .pattern = 6,
     .tied = true},
    {.name = "Phi3ForCausalLM",
     .model_type = "phi3",
     .linears = kPhi3Linears,
     .norms = kLlamaNorms,
     .windows = Windows::Every,
     .context = 4096,
     .epsilon = 1e-5},
    {.name = "OPTForCausalLM",
     .model_type = "opt",
     .layers = "model.decoder.layers.",
     .linears = kOptLinears,
     .norms = kOptNorms,
     .embedding = "model.decoder.embed_tokens.weight",
     .positions = "model.decoder.embed_positions.weight",
     .project_in = "model.decoder.project_in.weight",
     .final_norm = "model.decoder.final_layer_norm",
     .project_out = "model.decoder.project_out.weight",
     .norm = NormKind::Layer,
     .mlp = MlpKind::Relu,
     .biases = kOptBiases,
     .position_offset = 2,
     .intermediate_key = "ffn_dim",
     .activation_key = "activation_function",
     .epsilon = 1e-5,
     .tied = true},
};

}  // namespace

size_t width_of(Width width, const ModelConfig& config) {
  const size_t queries = config.heads * config.head_dim, keys = config.kv_heads * config.head_dim;
  switch (width) {
    case Hidden:
      return config.hidden;
    case Queries:
      return queries;
    case KeyValues:
      return keys;
    case QueriesKeysValues:
      return queries + 2 * keys;
    case Intermediate:
      return config.intermediate;
    case GatesUps:
      return 2 * config.intermediate;
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

const char* activation_name(MlpKind mlp) {
  constexpr const char* names[] = {"silu", "gelu_pytorch_tanh", "relu"};
  return names[size_t(mlp)];
}

}  // namespace signum
