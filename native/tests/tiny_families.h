// A small random model of each family, with the plain forward pass that belongs to it.
#pragma once

#include "model/architecture.h"
#include "tests/naive_families.h"

struct TinyFamily {
  std::string name;
  TinyModel model;
  std::function<Rows(const TinyModel&, const std::vector<uint32_t>&)> embed = naive_embed;
  std::function<NaiveLayer(const TinyModel&, size_t, const Rows&)> layer;
  // The last layer's output -> logits.
  std::function<Rows(const TinyModel&, const Rows&)> head = [](const TinyModel& m, const Rows& x) {
    return naive_linear(naive_norm(x, m.tensor("model.norm.weight"), m.epsilon),
                        m.tensor(m.tied ? "model.embed_tokens.weight" : "lm_head.weight"));
  };

  // Whether the outputs of this input's linears are added to the residual stream as they are: not where Gemma
  // norms them first.
  bool adds_outputs(signum::LinearInput input) const {
    using enum signum::LinearInput;
    return (input == AttentionOutput || input == MlpHidden) && !model.model_type.starts_with("gemma");
  }

  Rows logits(const std::vector<uint32_t>& tokens) const {
    Rows x = embed(model, tokens);
    for (size_t i = 0; i < model.layers; ++i) x = layer(model, i, x).output;
    return head(model, x);
  }
};

inline TinyModel tiny_of(const char* architecture, const char* model_type, uint32_t seed,
                         std::map<std::string, std::string> options) {
  TinyModel model;
  model.architecture = architecture;
  model.model_type = model_type;
  model.options = std::move(options);
  model.layers = 3;
  randomize(model, seed);
  return model;
}

// Biases of all linears whose name ends so.
inline void add_biases(TinyModel& model, const std::vector<std::string>& modules, uint32_t seed) {
  TensorFiller add(model, seed);
  for (const std::string& name : tensor_names(model))
    for (const std::string& module : modules)
      if (name.ends_with(module + ".weight"))
        add(name.substr(0, name.size() - 7) + ".bias", {model.tensor(name).shape[0]}, 0, 0.5f);
}

inline void add_head_norms(TinyModel& model, float middle, uint32_t seed) {
  TensorFiller add(model, seed);
  for (size_t i = 0; i < model.layers; ++i)
    for (const char* name : {"self_attn.q_norm.weight", "self_attn.k_norm.weight"})
      add(naive_prefix(i) + name, {model.head_dim}, middle, 0.5f);
}

inline TinyFamily tiny_llama3() {
  TinyFamily f{.name = "LLaMA, rope scaling llama3, biases",
               .model = tiny_of("LlamaForCausalLM", "llama", 101,
                                {{"rope_scaling",
                                  R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                      "high_freq_factor": 4.0, "original_max_position_embeddings": 64})"},
                                 {"attention_bias", "true"},
                                 {"mlp_bias", "true"}}),
               .layer = {}};
  add_biases(f.model, {"_proj"}, 102);
  f.layer = [](const TinyModel& m, size_t i, const Rows& x) {
    const auto frequencies = naive_llama3_frequencies(naive_frequencies(m.head_dim, m.theta), 8, 1, 4, 64);
    return naive_llama_layer(m, i, x, frequencies, 0);
  };
  return f;
}

inline TinyFamily tiny_llama_linear() {
  return {.name = "LLaMA, rope scaling linear",
          .model = tiny_of(
              "LlamaForCausalLM", "llama", 111,
              {{"rope_scaling", R"({"type": "linear", "factor": 4.0})"}, {"hidden_act", R"("silu")"}}),
          .layer = [](const TinyModel& m, size_t i, const Rows& x) {
            auto frequencies = naive_frequencies(m.head_dim, m.theta);
            for (double& frequency : frequencies) frequency /= 4;
            return naive_llama_layer(m, i, x, frequencies, 0);
          }};
}

inline TinyFamily tiny_mistral(size_t window) {
  return {.name = "Mistral, window " + std::to_string(window),
          .model = tiny_of("MistralForCausalLM", "mistral", 121,
                           {{"sliding_window", window == 0 ? "null" : std::to_string(window)}}),
          .layer = [window](const TinyModel& m, size_t i, const Rows& x) {
            return naive_llama_layer(m, i, x, naive_frequencies(m.head_dim, m.theta), window);
          }};
}

// A window in the layers from 1 on, when it is used.
inline TinyFamily tiny_qwen2(bool windows) {
  TinyFamily f{.name = windows ? "Qwen2, windows" : "Qwen2",
               .model = tiny_of("Qwen2ForCausalLM", "qwen2", 131,
                                {{"use_sliding_window", windows ? "true" : "false"},
                                 {"sliding_window", "33"},
                                 {"max_window_layers", "1"}}),
               .layer = [windows](const TinyModel& m, size_t i, const Rows& x) {
                 return naive_llama_layer(m, i, x, naive_frequencies(m.head_dim, m.theta),
                                          windows && i >= 1 ? 33 : 0);
               }};
  add_biases(f.model, {"q_proj", "k_proj", "v_proj"}, 132);
  return f;
}

inline TinyFamily tiny_qwen3() {
  TinyFamily f{
      .name = "Qwen3",
      .model = tiny_of("Qwen3ForCausalLM", "qwen3", 141, {{"attention_bias", "false"}}),
      .layer = [](const TinyModel& m, size_t i, const Rows& x) { return naive_qwen3_layer(m, i, x, 0); }};
  add_head_norms(f.model, 1, 142);
  return f;
}

// Fused matrices, the rows of the separate ones one below the other.
inline TinyTensor stacked(std::vector<TinyTensor> parts) {
  TinyTensor whole = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    whole.shape[0] += parts[i].shape[0];
    whole.values.insert(whole.values.end(), parts[i].values.begin(), parts[i].values.end());
  }
  return whole;
}

inline TinyFamily tiny_phi3(size_t window) {
  TinyFamily f{.name = "Phi-3, window " + std::to_string(window),
               .model = tiny_of("Phi3ForCausalLM", "phi3", 151,
                                {{"sliding_window", window == 0 ? "null" : std::to_string(window)},
                                 {"original_max_position_embeddings", "160"},
                                 {"rope_scaling", "null"}}),
               .layer = [window](const TinyModel& m, size_t i, const Rows& x) {
                 return naive_phi3_layer(m, i, x, window);
               }};
  for (size_t i = 0; i < f.model.layers; ++i) {
    const auto fuse = [&](const std::string& block, const std::string& fused,
                          std::vector<std::string> names) {
      std::vector<TinyTensor> parts;
      for (const std::string& name : names) {
        const std::string full = naive_prefix(i) + block + name + ".weight";
        parts.push_back(f.model.tensor(full));
        f.model.tensors.erase(full);
      }
      f.model.tensors[naive_prefix(i) + block + fused + ".weight"] = stacked(parts);
    };
    fuse("self_attn.", "qkv_proj", {"q_proj", "k_proj", "v_proj"});
    fuse("mlp.", "gate_up_proj", {"gate_proj", "up_proj"});
  }
  return f;
}

inline TinyModel tiny_gemma(const char* architecture, const char* model_type, uint32_t seed,
                            std::map<std::string, std::string> options) {
  TinyModel model = tiny_of(architecture, model_type, seed, std::move(options));
  model.tied = true;
  model.tensors.erase("lm_head.weight");
  TensorFiller add(model, seed + 1);
  for (size_t i = 0; i < model.layers; ++i)
    for (const char* name : {"input_layernorm.weight", "post_attention_layernorm.weight",
                             "pre_feedforward_layernorm.weight", "post_feedforward_layernorm.weight"})
      add(naive_prefix(i) + name, {model.hidden}, 0, 0.5f);
  add("model.norm.weight", {model.hidden}, 0, 0.5f);
  return model;
}

inline Rows naive_gemma_embed(const TinyModel& m, const std::vector<uint32_t>& tokens) {
  Rows x = naive_embed(m, tokens);
  for (auto& row : x)
    for (double& value : row) value *= std::sqrt(double(m.hidden));
  return x;
}

inline Rows naive_gemma_head(const TinyModel& m, const Rows& x) {
  return naive_linear(naive_gemma_norm(m, "model.norm", x), m.tensor("model.embed_tokens.weight"));
}

// Every second layer sees all tokens; caps so low that they bend.
inline TinyFamily tiny_gemma2() {
  return {.name = "Gemma 2",
          .model = tiny_gemma("Gemma2ForCausalLM", "gemma2", 161,
                              {{"sliding_window", "40"},
                               {"query_pre_attn_scalar", "7"},
                               {"attn_logit_softcapping", "3.0"},
                               {"final_logit_softcapping", "5.0"},
                               {"hidden_activation", R"("gelu_pytorch_tanh")"},
                               {"hidden_act", R"("gelu_pytorch_tanh")"}}),
          .embed = naive_gemma_embed,
          .layer =
              [](const TinyModel& m, size_t i, const Rows& x) {
                NaiveScores how{1 / std::sqrt(7.0), 3};
                if (i % 2 == 0) how.window = 40;
                return naive_gemma_layer(m, i, x, naive_frequencies(m.head_dim, m.theta), how, false);
              },
          .head = [](const TinyModel& m, const Rows& x) { return naive_cap(naive_gemma_head(m, x), 5); }};
}

// Layers 0 and 1 with a window and their own positions, layer 2 over all tokens with stretched ones. Once as
// transformers 4 writes it, once as transformers 5 does.
inline TinyFamily tiny_gemma3(bool version5) {
  std::map<std::string, std::string> options = {{"sliding_window", "40"},
                                                {"query_pre_attn_scalar", "7"},
                                                {"hidden_activation", R"("gelu_pytorch_tanh")"}};
  if (version5) {
    options["layer_types"] = R"(["sliding_attention", "sliding_attention", "full_attention"])";
    options["rope_parameters"] =
        R"({"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 300.0}})";
  } else {
    options["sliding_window_pattern"] = "3";
    options["rope_local_base_freq"] = "300.0";
    options["rope_scaling"] = R"({"factor": 8.0, "rope_type": "linear"})";
  }
  TinyFamily f{.name = version5 ? "Gemma 3, as transformers 5 writes it" : "Gemma 3",
               .model = tiny_gemma("Gemma3ForCausalLM", "gemma3_text", 171, options),
               .embed = naive_gemma_embed,
               .layer =
                   [](const TinyModel& m, size_t i, const Rows& x) {
                     NaiveScores how{1 / std::sqrt(7.0)};
                     if (i < 2) how.window = 40;
                     auto frequencies = naive_frequencies(m.head_dim, i < 2 ? 300 : 5000);
                     if (i == 2)
                       for (double& frequency : frequencies) frequency /= 8;
                     return naive_gemma_layer(m, i, x, frequencies, how, true);
                   },
               .head = naive_gemma_head};
  f.model.theta = 5000;
  add_head_norms(f.model, 0, 173);
  return f;
}

// norm_first with biases and one width, as most OPT models; or OPT-350M's form, or one without biases.
inline TinyFamily tiny_opt(bool norm_first, bool biases, size_t embedding_width) {
  TinyModel model;
  model.architecture = "OPTForCausalLM";
  model.model_type = "opt";
  model.layers = 3;
  model.hidden = model.heads * model.head_dim;  // 60
  model.kv_heads = model.heads;
  model.tied = true;
  model.options = {{"ffn_dim", std::to_string(model.intermediate)},
                   {"word_embed_proj_dim", std::to_string(embedding_width)},
                   {"do_layer_norm_before", norm_first ? "true" : "false"},
                   {"enable_bias", biases ? "true" : "false"},
                   {"activation_function", R"("relu")"}};
  TensorFiller add(model, 181);
  const auto add_norm = [&](const std::string& name) {
    add(name + ".weight", {model.hidden}, 1, 0.5f);
    add(name + ".bias", {model.hidden}, 0, 0.5f);
  };
  const auto add_linear = [&](const std::string& name, size_t rows, size_t columns, float spread) {
    add(name + ".weight", {rows, columns}, 0, spread);
    if (biases) add(name + ".bias", {rows}, 0, 0.5f);
  };
  for (size_t i = 0; i < model.layers; ++i) {
    const std::string layer = "model.decoder.layers." + std::to_string(i) + ".";
    add_norm(layer + "self_attn_layer_norm");
    add_norm(layer + "final_layer_norm");
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"})
      add_linear(layer + "self_attn." + name, model.hidden, model.hidden, 0.3f);
    add_linear(layer + "fc1", model.intermediate, model.hidden, 0.3f);
    add_linear(layer + "fc2", model.hidden, model.intermediate, 0.3f);
  }
  add("model.decoder.embed_tokens.weight", {model.vocabulary, embedding_width}, 0, 1);
  add("model.decoder.embed_positions.weight", {model.context + 2, model.hidden}, 0, 1);
  const bool projected = embedding_width != model.hidden;
  if (projected) {
    add("model.decoder.project_in.weight", {model.hidden, embedding_width}, 0, 0.4f);
    add("model.decoder.project_out.weight", {embedding_width, model.hidden}, 0, 0.4f);
  }
  if (norm_first) add_norm("model.decoder.final_layer_norm");
  return {.name = std::string("OPT, norms ") + (norm_first ? "first" : "last") +
                  (biases ? "" : ", no biases") + (projected ? ", projected" : ""),
          .model = model,
          .embed = [projected](
                       const TinyModel& m,
                       const std::vector<uint32_t>& tokens) { return naive_opt_embed(m, tokens, projected); },
          .layer = [norm_first](const TinyModel& m, size_t i,
                                const Rows& x) { return naive_opt_layer(m, i, x, norm_first); },
          .head =
              [norm_first, projected](const TinyModel& m, const Rows& x) {
                Rows out = norm_first ? naive_layer_norm(m, "model.decoder.final_layer_norm", x) : x;
                if (projected) out = naive_linear(m, "model.decoder.project_out", out);
                return naive_linear(out, m.tensor("model.decoder.embed_tokens.weight"));
              }};
}

inline std::vector<TinyFamily> tiny_families() {
  return {tiny_llama3(),
          tiny_llama_linear(),
          tiny_mistral(40),
          tiny_mistral(0),
          tiny_qwen2(false),
          tiny_qwen2(true),
          tiny_qwen3(),
          tiny_gemma2(),
          tiny_gemma3(false),
          tiny_gemma3(true),
          tiny_phi3(0),
          tiny_phi3(70),
          tiny_opt(true, true, 60),
          tiny_opt(false, true, 25),
          tiny_opt(true, false, 60)};
}
