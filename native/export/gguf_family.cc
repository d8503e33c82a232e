#include "export/gguf_family.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace signum {
namespace {

// By LinearInput: attention, attention output, mlp, mlp hidden.
constexpr GgufFamily kFamilies[] = {
    {.architecture = "LlamaForCausalLM",
     .name = "llama",
     .side_by_side = true,
     .stretched = true,
     .biases = {true, true, true, true}},
    {.architecture = "MistralForCausalLM", .name = "llama", .side_by_side = true, .stretched = true},
    {.architecture = "Qwen2ForCausalLM",
     .name = "qwen2",
     .free_heads = false,
     .biases = {true, false, false, false}},
    {.architecture = "Qwen3ForCausalLM", .name = "qwen3"},
    {.architecture = "Gemma2ForCausalLM",
     .name = "gemma2",
     .caps = true,
     .tied = true,
     .period = 2,
     .odd_layers = 46},
    {.architecture = "Gemma3ForCausalLM", .name = "gemma3", .tied = true, .period = 6, .odd_layers = 62},
    {.architecture = "Phi3ForCausalLM", .name = "phi3", .free_heads = false},
};

std::string known_families() {
  std::string names;
  for (const GgufFamily& family : kFamilies)
    names += (names.empty() ? "" : ", ") + std::string(family.architecture);
  return names;
}

double scale_there(const ModelConfig& config, const GgufFamily& family) {
  const bool odd = family.odd_layers > 0 && config.layers == family.odd_layers;
  return 1 / std::sqrt(double(odd ? config.hidden / config.heads : config.head_dim));
}

bool windows_fit(const ModelConfig& config, const GgufFamily& family) {
  for (size_t layer = 0; layer < config.layers; ++layer)
    if (((layer + 1) % family.period != 0) != (config.attention[layer].window > 0)) return false;
  return true;
}

// What of the configuration llama.cpp has no way for; empty: nothing.
std::string unfit(const ModelConfig& config, const GgufFamily& family) {
  if (!family.free_heads && config.heads * config.head_dim != config.hidden)
    return "heads that are together as wide as the model";
  if (family.tied && !config.tied) return "the embedding table as head";
  if (std::abs(config.attention_scale / scale_there(config, family) - 1) > 1e-6)
    return "scores divided by the square root of " +
           std::to_string(std::lround(std::pow(scale_there(config, family), -2)));
  if (family.caps != (config.attention_cap > 0) || family.caps != (config.final_cap > 0))
    return family.caps ? "soft caps of scores and logits" : "no soft caps";
  if (family.period > 0 && !windows_fit(config, family))
    return "a sliding window in all layers but one of " + std::to_string(family.period);
  for (size_t input = 0; input < kLinearInputs; ++input)
    if (config.biased[input] && !family.biases[input]) return "no such biases";
  for (size_t rope = 0; rope < config.ropes.size(); ++rope) {
    const Rope::Scaling scaling = config.ropes[rope].scaling;
    if (scaling == Rope::Scaling::Llama3 && !family.stretched) return "no llama3 scaling of positions";
    if (scaling != Rope::Scaling::None && rope > 0) return "no scaling of positions in layers with a window";
  }
  return "";
}

}  // namespace

Result<const GgufFamily*> gguf_family(const ModelConfig& config) {
  const std::string name = config.architecture->name;
  const auto family =
      std::ranges::find_if(kFamilies, [&](const GgufFamily& one) { return name == one.architecture; });
  if (family == std::end(kFamilies))
    return Error{"export_unsupported",
                 "llama.cpp does not know the family " + name + "; a GGUF file can be made of " +
                     known_families() + ".",
                 ""};
  if (const std::string only = unfit(config, *family); !only.empty())
    return Error{
        "export_unsupported",
        "llama.cpp would compute something else from this " + name + ": there the family has " + only + ".",
        ""};
  return family;
}

size_t window_of(const ModelConfig& config) {
  size_t window = 0;
  for (const LayerAttention& layer : config.attention) window = std::max(window, layer.window);
  return window;
}

std::vector<std::string> gguf_notes(const ModelConfig& config, const GgufFamily& family) {
  const size_t window = window_of(config);
  if (family.period > 0 || window == 0 || window >= config.context) return {};
  return {"llama.cpp has no sliding window for this family: texts of more than " + std::to_string(window) +
          " tokens come out otherwise there."};
}

}  // namespace signum
