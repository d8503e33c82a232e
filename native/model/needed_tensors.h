// The tensors of an architecture that are neither a linear's weight nor one of the two tables.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/config.h"

namespace signum {

struct NeededTensor {
  std::string name;
  std::vector<size_t> shape;
};

// Norms, biases, learned positions, projections of the embedding.
std::vector<NeededTensor> needed_tensors(const ModelConfig& config);

// "model.layers.3."
std::string layer_prefix(const ModelConfig& config, size_t layer);
// Whether the linears that read this input have a bias: module + ".bias" [rows].
bool has_bias(const ModelConfig& config, LinearInput input);
// Whether the embedding is projected to the residual stream's width and back.
bool has_projections(const ModelConfig& config);

}  // namespace signum
