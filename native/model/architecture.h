// What differs between model families, as tables over one decoder block (decoder_layer.h) and its two ends
// (ends.h). A new family is a new table in architecture.cc, and a test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace signum {

struct ModelConfig;  // model/config.h

// The distinct inputs of a decoder layer's linears; linears with the same input share one Hessian.
enum class LinearInput : uint8_t { Attention, AttentionOutput, Mlp, MlpHidden };
inline constexpr size_t kLinearInputs = 4;

// A size of the configuration that a linear's side has.
enum class Width : uint8_t { Hidden, Queries, KeyValues, QueriesKeysValues, Intermediate, GatesUps };
size_t width_of(Width width, const ModelConfig& config);

// The outputs of linears with one input lie side by side, in the order of the table: queries, keys, values;
// gate, up. A fused linear is one row that is as wide as its parts.
struct LinearRule {
  const char* kind;    // last part of the name: "q_proj"
  const char* module;  // below the layer: "self_attn.q_proj"
  Width rows;          // outputs
  Width columns;       // inputs
  LinearInput input;
};

// Which linears have a bias, by their input: when the key of config.json says so, or always (key null).
struct BiasRule {
  const char* key;
  bool otherwise;  // when config.json has no such key
  std::array<bool, kLinearInputs> inputs;
};

// RmsPlusOne: what is stored is the gain less one. Layer: the mean is taken off, and there is a bias.
enum class NormKind : uint8_t { Rms, RmsPlusOne, Layer };

// The norms of a decoder layer: of the residual stream before each branch, of a branch's output before it is
// added, of each query and key head before the positions.
enum class LayerNorm : uint8_t { Attention, AttentionOutput, Query, Key, Mlp, MlpOutput };
inline constexpr size_t kLayerNorms = 6;

// act(gate) * up, or relu(up) alone.
enum class MlpKind : uint8_t { SiluGated, GeluTanhGated, Relu };

// Which layers see a window of the last tokens only (config.json: sliding_window).
enum class Windows : uint8_t {
  None,
  Every,    // all layers
  Upper,    // those from max_window_layers on, with use_sliding_window
  Pattern,  // all but every n-th layer
};

struct Architecture {
  const char* name;        // in config.json's architectures: "LlamaForCausalLM"
  const char* model_type;  // in config.json: "llama"

  // Names. Of norms and modules without ".weight" and ".bias"; null where the family has none.
  const char* layers = "model.layers.";          // prefix of the layers
  std::span<const LinearRule> linears;           // order of a layer's linears everywhere in the program
  std::array<const char*, kLayerNorms> norms{};  // by LayerNorm, below the layer
  const char* embedding = "model.embed_tokens.weight";
  const char* positions = nullptr;  // learned positions; null: rotary ones
  const char* project_in = nullptr;
  const char* final_norm = "model.norm";
  const char* project_out = nullptr;
  const char* head = "lm_head.weight";

  // How it computes.
  NormKind norm = NormKind::Rms;
  MlpKind mlp = MlpKind::SiluGated;
  std::span<const BiasRule> biases{};
  Windows windows = Windows::None;
  bool scaled_embedding = false;  // times the square root of the width
  bool query_scalar = false;      // scores are divided by the root of query_pre_attn_scalar, not of head_dim
  bool soft_caps = false;         // attn_logit_softcapping, final_logit_softcapping
  size_t position_offset = 0;     // rows of the learned positions before that of the first token

  // Keys of config.json that have another name here, and what counts where one is absent.
  const char* intermediate_key = "intermediate_size";
  const char* activation_key = "hidden_act";
  size_t head_dim = 0;          // 0: hidden / heads
  size_t context = 2048;        // max_position_embeddings
  double epsilon = 1e-6;        // rms_norm_eps
  double rope_theta = 10000;    // rope_theta
  double local_rope_theta = 0;  // rope_local_base_freq, of layers with a window; 0: the same as the others
  size_t window = 0;            // sliding_window; 0: none
  size_t pattern = 0;           // sliding_window_pattern
  double attention_cap = 0;     // attn_logit_softcapping; 0: none
  double final_cap = 0;         // final_logit_softcapping; 0: none
  bool tied = false;            // tie_word_embeddings
};

std::span<const Architecture> architectures();
// "LlamaForCausalLM", or several with commas.
std::string supported_architectures();

inline bool is_gated(MlpKind mlp) { return mlp != MlpKind::Relu; }
// As config.json names the activation: "silu".
const char* activation_name(MlpKind mlp);

}  // namespace signum
