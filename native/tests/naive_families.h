// Each family's forward pass written plainly in F64, line by line as its published definition has it; shares
// no code with native/model, and the tables there are not used.
#pragma once

#include <functional>
#include <numbers>

#include "tests/naive_forward.h"

// A linear with its bias, where the checkpoint has one.
inline Rows naive_linear(const TinyModel& m, const std::string& name, const Rows& x) {
  Rows out = naive_linear(x, m.tensor(name + ".weight"));
  if (const auto bias = m.tensors.find(name + ".bias"); bias != m.tensors.end())
    for (auto& row : out)
      for (size_t j = 0; j < row.size(); ++j) row[j] += double(bias->second.values[j]);
  return out;
}

inline Rows naive_layer_norm(const TinyModel& m, const std::string& name, Rows x) {
  const auto &gain = m.tensor(name + ".weight").values, &bias = m.tensor(name + ".bias").values;
  for (auto& row : x) {
    double mean = 0, variance = 0;
    for (const double value : row) mean += value / double(row.size());
    for (const double value : row) variance += (value - mean) * (value - mean) / double(row.size());
    for (size_t j = 0; j < row.size(); ++j)
      row[j] = (row[j] - mean) / std::sqrt(variance + 1e-5) * double(gain[j]) + double(bias[j]);
  }
  return x;
}

inline Rows naive_rms_norm(const TinyModel& m, const std::string& name, const Rows& x) {
  return naive_norm(x, m.tensor(name + ".weight"), m.epsilon);
}

// Gemma stores the gain less one.
inline Rows naive_gemma_norm(const TinyModel& m, const std::string& name, const Rows& x) {
  TinyTensor gain = m.tensor(name + ".weight");
  Rows out = naive_norm(x, {gain.shape, std::vector<float>(gain.values.size(), 1.0f)}, m.epsilon);
  for (auto& row : out)
    for (size_t j = 0; j < row.size(); ++j) row[j] *= 1.0 + double(gain.values[j]);
  return out;
}

using NaiveNorm = Rows (*)(const TinyModel&, const std::string&, const Rows&);

// The norm of each head alone.
inline Rows naive_head_norm(const TinyModel& m, NaiveNorm norm, const std::string& name, Rows x) {
  for (auto& row : x)
    for (size_t at = 0; at < row.size(); at += m.head_dim) {
      const Rows head = norm(m, name, {{row.begin() + at, row.begin() + at + m.head_dim}});
      std::copy(head[0].begin(), head[0].end(), row.begin() + at);
    }
  return x;
}

inline Rows naive_sum(Rows x, const Rows& y) {
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t j = 0; j < x[t].size(); ++j) x[t][j] += y[t][j];
  return x;
}

inline Rows naive_columns(const Rows& x, size_t first, size_t count) {
  Rows out;
  for (const auto& row : x) out.emplace_back(row.begin() + first, row.begin() + first + count);
  return out;
}

inline Rows naive_product(const Rows& x, double (*act)(double), const Rows& y) {
  Rows out = y;
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t j = 0; j < x[t].size(); ++j) out[t][j] *= act(x[t][j]);
  return out;
}

inline double naive_silu(double x) { return x / (1 + std::exp(-x)); }
inline double naive_gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

// "Llama 3.1": wavelengths above original / low are stretched by factor, those below original / high are
// kept.
inline std::vector<double> naive_llama3_frequencies(std::vector<double> frequencies, double factor,
                                                    double low, double high, double original) {
  for (double& frequency : frequencies) {
    const double wavelength = 2 * std::numbers::pi / frequency;
    if (wavelength > original / low) {
      frequency /= factor;
    } else if (wavelength >= original / high) {
      const double smooth = (original / wavelength - low) / (high - low);
      frequency = (1 - smooth) * frequency / factor + smooth * frequency;
    }
  }
  return frequencies;
}

inline std::string naive_prefix(size_t index) { return "model.layers." + std::to_string(index) + "."; }

// LLaMA, Mistral, Qwen2 and Qwen3 after the queries, keys and values: positions, attention, the gated MLP.
inline NaiveLayer naive_llama_rest(const TinyModel& m, size_t index, const Rows& input, NaiveLayer result,
                                   Rows q, Rows k, const Rows& v, const std::vector<double>& frequencies,
                                   size_t window) {
  const std::string layer = naive_prefix(index);
  naive_rotate(q, frequencies);
  naive_rotate(k, frequencies);
  NaiveScores how{1 / std::sqrt(double(m.head_dim))};
  if (window > 0) how.window = window;
  result.attention_output = naive_attention(m, q, k, v, how);
  const Rows x = result.middle =
      naive_sum(input, naive_linear(m, layer + "self_attn.o_proj", result.attention_output));
  result.mlp_input = naive_rms_norm(m, layer + "post_attention_layernorm", x);
  result.mlp_hidden = naive_product(naive_linear(m, layer + "mlp.gate_proj", result.mlp_input), naive_silu,
                                    naive_linear(m, layer + "mlp.up_proj", result.mlp_input));
  result.output = naive_sum(x, naive_linear(m, layer + "mlp.down_proj", result.mlp_hidden));
  return result;
}

// LLaMA with any frequencies; Mistral and Qwen2 with a window (0: none).
inline NaiveLayer naive_llama_layer(const TinyModel& m, size_t index, const Rows& input,
                                    const std::vector<double>& frequencies, size_t window) {
  const std::string layer = naive_prefix(index);
  NaiveLayer result;
  const Rows x = result.attention_input = naive_rms_norm(m, layer + "input_layernorm", input);
  return naive_llama_rest(m, index, input, result, naive_linear(m, layer + "self_attn.q_proj", x),
                          naive_linear(m, layer + "self_attn.k_proj", x),
                          naive_linear(m, layer + "self_attn.v_proj", x), frequencies, window);
}

// Qwen3: the norm of each query and key head stands before the positions.
inline NaiveLayer naive_qwen3_layer(const TinyModel& m, size_t index, const Rows& input, size_t window) {
  const std::string layer = naive_prefix(index);
  NaiveLayer result;
  const Rows x = result.attention_input = naive_rms_norm(m, layer + "input_layernorm", input);
  const Rows q = naive_head_norm(m, naive_rms_norm, layer + "self_attn.q_norm",
                                 naive_linear(m, layer + "self_attn.q_proj", x));
  const Rows k = naive_head_norm(m, naive_rms_norm, layer + "self_attn.k_norm",
                                 naive_linear(m, layer + "self_attn.k_proj", x));
  return naive_llama_rest(m, index, input, result, q, k, naive_linear(m, layer + "self_attn.v_proj", x),
                          naive_frequencies(m.head_dim, m.theta), window);
}

// Phi-3: queries, keys and values are the rows of one matrix, gate and up of another.
inline NaiveLayer naive_phi3_layer(const TinyModel& m, size_t index, const Rows& input, size_t window) {
  const std::string layer = naive_prefix(index);
  const size_t queries = m.heads * m.head_dim, keys = m.kv_heads * m.head_dim;
  NaiveLayer result;
  result.attention_input = naive_rms_norm(m, layer + "input_layernorm", input);
  const Rows qkv = naive_linear(m, layer + "self_attn.qkv_proj", result.attention_input);
  Rows q = naive_columns(qkv, 0, queries), k = naive_columns(qkv, queries, keys);
  const Rows v = naive_columns(qkv, queries + keys, keys);
  naive_rotate(q, naive_frequencies(m.head_dim, m.theta));
  naive_rotate(k, naive_frequencies(m.head_dim, m.theta));
  NaiveScores how{1 / std::sqrt(double(m.head_dim))};
  if (window > 0) how.window = window;
  result.attention_output = naive_attention(m, q, k, v, how);
  const Rows x = result.middle =
      naive_sum(input, naive_linear(m, layer + "self_attn.o_proj", result.attention_output));
  result.mlp_input = naive_rms_norm(m, layer + "post_attention_layernorm", x);
  const Rows both = naive_linear(m, layer + "mlp.gate_up_proj", result.mlp_input);
  result.mlp_hidden = naive_product(naive_columns(both, 0, m.intermediate), naive_silu,
                                    naive_columns(both, m.intermediate, m.intermediate));
  result.output = naive_sum(x, naive_linear(m, layer + "mlp.down_proj", result.mlp_hidden));
  return result;
}

// Gemma 2 and 3: norms on both sides of each branch, GELU. how.scale is query_pre_attn_scalar^-0.5.
inline NaiveLayer naive_gemma_layer(const TinyModel& m, size_t index, const Rows& input,
                                    const std::vector<double>& frequencies, const NaiveScores& how,
                                    bool head_norms) {
  const std::string layer = naive_prefix(index);
  NaiveLayer result;
  result.attention_input = naive_gemma_norm(m, layer + "input_layernorm", input);
  Rows q = naive_linear(m, layer + "self_attn.q_proj", result.attention_input);
  Rows k = naive_linear(m, layer + "self_attn.k_proj", result.attention_input);
  const Rows v = naive_linear(m, layer + "self_attn.v_proj", result.attention_input);
  if (head_norms) {  // Gemma 3
    q = naive_head_norm(m, naive_gemma_norm, layer + "self_attn.q_norm", q);
    k = naive_head_norm(m, naive_gemma_norm, layer + "self_attn.k_norm", k);
  }
  naive_rotate(q, frequencies);
  naive_rotate(k, frequencies);
  result.attention_output = naive_attention(m, q, k, v, how);
  Rows branch = naive_linear(m, layer + "self_attn.o_proj", result.attention_output);
  const Rows x = result.middle =
      naive_sum(input, naive_gemma_norm(m, layer + "post_attention_layernorm", branch));
  result.mlp_input = naive_gemma_norm(m, layer + "pre_feedforward_layernorm", x);
  result.mlp_hidden =
      naive_product(naive_linear(m, layer + "mlp.gate_proj", result.mlp_input), naive_gelu_tanh,
                    naive_linear(m, layer + "mlp.up_proj", result.mlp_input));
  branch = naive_linear(m, layer + "mlp.down_proj", result.mlp_hidden);
  result.output = naive_sum(x, naive_gemma_norm(m, layer + "post_feedforward_layernorm", branch));
  return result;
}

// OPT: norms before the branches, or behind the sums.
inline NaiveLayer naive_opt_layer(const TinyModel& m, size_t index, const Rows& input, bool norm_first) {
  const std::string layer = "model.decoder.layers." + std::to_string(index) + ".";
  NaiveLayer result;
  result.attention_input = norm_first ? naive_layer_norm(m, layer + "self_attn_layer_norm", input) : input;
  result.attention_output =
      naive_attention(m, naive_linear(m, layer + "self_attn.q_proj", result.attention_input),
                      naive_linear(m, layer + "self_attn.k_proj", result.attention_input),
                      naive_linear(m, layer + "self_attn.v_proj", result.attention_input),
                      {1 / std::sqrt(double(m.head_dim))});
  Rows x = naive_sum(input, naive_linear(m, layer + "self_attn.out_proj", result.attention_output));
  if (!norm_first) x = naive_layer_norm(m, layer + "self_attn_layer_norm", x);
  result.middle = x;
  result.mlp_input = norm_first ? naive_layer_norm(m, layer + "final_layer_norm", x) : x;
  result.mlp_hidden = naive_linear(m, layer + "fc1", result.mlp_input);
  for (auto& row : result.mlp_hidden)
    for (double& value : row) value = std::max(value, 0.0);
  result.output = naive_sum(x, naive_linear(m, layer + "fc2", result.mlp_hidden));
  if (!norm_first) result.output = naive_layer_norm(m, layer + "final_layer_norm", result.output);
  return result;
}

inline Rows naive_rows_of(const TinyTensor& table, const std::vector<uint32_t>& tokens) {
  Rows x;
  const size_t width = table.shape[1];
  for (const uint32_t token : tokens)
    x.emplace_back(table.values.begin() + token * width, table.values.begin() + (token + 1) * width);
  return x;
}

inline Rows naive_opt_embed(const TinyModel& m, const std::vector<uint32_t>& tokens, bool projected) {
  Rows x = naive_rows_of(m.tensor("model.decoder.embed_tokens.weight"), tokens);
  if (projected) x = naive_linear(m, "model.decoder.project_in", x);
  std::vector<uint32_t> places;
  for (uint32_t t = 0; t < tokens.size(); ++t) places.push_back(t + 2);
  return naive_sum(x, naive_rows_of(m.tensor("model.decoder.embed_positions.weight"), places));
}

inline Rows naive_cap(Rows x, double cap) {
  for (auto& row : x)
    for (double& value : row) value = cap * std::tanh(value / cap);
  return x;
}
