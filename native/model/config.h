// config.json of a model folder: every field that the numerics need, typed and checked.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace signum {

struct Architecture;  // model/architecture.h

struct ModelConfig {
  const Architecture* architecture = nullptr;  // never null after read_config; lives for the whole program
  size_t hidden = 0;                           // width of the residual stream
  size_t intermediate = 0;                     // width inside the MLP
  size_t layers = 0;                           // decoder layers
  size_t heads = 0;                            // query heads
  size_t kv_heads = 0;                         // key and value heads; divides heads
  size_t head_dim = 0;                         // even; heads * head_dim need not be hidden
  size_t vocabulary = 0;
  size_t context = 0;  // positions: the longest sequence
  double norm_epsilon = 0;
  double rope_theta = 0;
  bool tied = false;  // the head uses the embedding table
};

// Reads folder/config.json. Errors: not_a_model_folder, config_invalid (names the key),
// architecture_unsupported, already_quantized.
Result<ModelConfig> read_config(const std::string& folder);

}  // namespace signum
