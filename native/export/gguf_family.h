// What llama.cpp computes for each family, and whether that is what a configuration means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/config.h"

namespace signum {

struct GgufFamily {
  const char* architecture;  // in config.json: "LlamaForCausalLM"
  const char* name;          // general.architecture: "llama"

  bool side_by_side = false;  // a rotary pair's two rows of q and k lie side by side, not half a head apart
  bool stretched = false;     // takes LLaMA 3's stretched frequencies
  bool free_heads = true;     // heads * head_dim need not be the hidden width
  bool caps = false;          // soft caps of scores and logits
  bool tied = false;          // has no head of its own
  size_t period = 0;          // all but every so manieth layer see a window; 0: it knows no windows
  // The model with so many layers divides scores by the root of hidden / heads; all others of head_dim.
  size_t odd_layers = 0;
  std::array<bool, kLinearInputs> biases{};  // by input: the linears that may have them
};

// Error export_unsupported: llama.cpp does not know the family, or would compute something else: what.
Result<const GgufFamily*> gguf_family(const ModelConfig& config);

// The sliding window of the layers that have one; 0: no layer has.
size_t window_of(const ModelConfig& config);

// What llama.cpp computes otherwise although the file is written: one sentence each.
std::vector<std::string> gguf_notes(const ModelConfig& config, const GgufFamily& family);

}  // namespace signum
