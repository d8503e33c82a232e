// config.json of a model folder: every field that the numerics need, typed and checked.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/architecture.h"
#include "model/rotary.h"

namespace signum {

// What one layer's attention sees, and how its positions turn.
struct LayerAttention {
  size_t window = 0;  // a token sees itself and the window - 1 before it; 0: all before it
  size_t rope = 0;    // place in ModelConfig::ropes
};

struct ModelConfig {
  const Architecture* architecture = nullptr;  // never null after read_config; lives for the whole program
  size_t hidden = 0;                           // width of the residual stream
  size_t embedding_width = 0;                  // of the embedding table; hidden unless it is projected
  size_t intermediate = 0;                     // width inside the MLP
  size_t layers = 0;                           // decoder layers
  size_t heads = 0;                            // query heads
  size_t kv_heads = 0;                         // key and value heads; divides heads
  size_t head_dim = 0;                         // heads * head_dim need not be hidden
  size_t vocabulary = 0;
  size_t context = 0;  // positions: the longest sequence
  double norm_epsilon = 0;
  bool tied = false;       // the head uses the embedding table
  bool norm_first = true;  // false: the norms before the branches stand behind the sums instead (OPT-350M)
  bool final_norm = true;
  double embedding_scale = 1;
  double attention_scale = 0;                // scores are multiplied by it
  double attention_cap = 0;                  // cap * tanh(score / cap); 0: none
  double final_cap = 0;                      // of the logits; 0: none
  std::array<bool, kLinearInputs> biased{};  // by input: the linears that read it have biases
  std::vector<Rope> ropes;                   // empty: learned positions
  std::vector<LayerAttention> attention;     // [layers]
};

// Reads folder/config.json. Errors: not_a_model_folder, config_invalid (names the key),
// architecture_unsupported, already_quantized.
Result<ModelConfig> read_config(const std::string& folder);

}  // namespace signum
