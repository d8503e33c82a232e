// The forward pass written plainly in F64, from the published description of the architecture; shares no code
// with native/model.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tests/tiny_model.h"

using Rows = std::vector<std::vector<double>>;  // [rows][columns]

inline Rows naive_linear(const Rows& x, const TinyTensor& weight) {
  Rows out(x.size(), std::vector<double>(weight.shape[0]));
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t i = 0; i < weight.shape[0]; ++i)
      for (size_t j = 0; j < weight.shape[1]; ++j)
        out[t][i] += double(weight.values[i * weight.shape[1] + j]) * x[t][j];
  return out;
}

inline Rows naive_norm(const Rows& x, const TinyTensor& gain, double epsilon) {
  Rows out = x;
  for (auto& row : out) {
    double mean = 0;
    for (const double value : row) mean += value * value / double(row.size());
    for (size_t j = 0; j < row.size(); ++j) row[j] *= double(gain.values[j]) / std::sqrt(mean + epsilon);
  }
  return out;
}

// theta^(-2i / head_dim)
inline std::vector<double> naive_frequencies(size_t head_dim, double theta) {
  std::vector<double> frequencies;
  for (size_t i = 0; i < head_dim / 2; ++i)
    frequencies.push_back(std::pow(theta, -2.0 * double(i) / double(head_dim)));
  return frequencies;
}

inline void naive_rotate(Rows& x, const std::vector<double>& frequencies) {
  const size_t half = frequencies.size();
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t head = 0; head * 2 * half < x[t].size(); ++head)
      for (size_t i = 0; i < half; ++i) {
        const double angle = double(t) * frequencies[i];
        double &a = x[t][head * 2 * half + i], &b = x[t][head * 2 * half + i + half];
        const double turned = a * std::cos(angle) - b * std::sin(angle);
        b = b * std::cos(angle) + a * std::sin(angle);
        a = turned;
      }
}

// Scores times scale, then cap * tanh(score / cap) where there is a cap; a token sees the last `window`
// tokens.
struct NaiveScores {
  double scale;
  double cap = 0;
  size_t window = size_t(1) << 40;
};

inline Rows naive_attention(const TinyModel& m, const Rows& q, const Rows& k, const Rows& v,
                            const NaiveScores& how) {
  Rows out(q.size(), std::vector<double>(m.heads * m.head_dim));
  for (size_t head = 0; head < m.heads; ++head) {
    const size_t at = head * m.head_dim, kv_at = head / (m.heads / m.kv_heads) * m.head_dim;
    for (size_t t = 0; t < q.size(); ++t) {
      std::vector<double> share(t + 1);
      double total = 0;
      for (size_t s = 0; s <= t; ++s) {
        if (t - s >= how.window) continue;
        double score = 0;
        for (size_t i = 0; i < m.head_dim; ++i) score += q[t][at + i] * k[s][kv_at + i];
        score *= how.scale;
        if (how.cap > 0) score = how.cap * std::tanh(score / how.cap);
        share[s] = std::exp(score);
        total += share[s];
      }
      for (size_t s = 0; s <= t; ++s)
        for (size_t i = 0; i < m.head_dim; ++i) out[t][at + i] += share[s] / total * v[s][kv_at + i];
    }
  }
  return out;
}

// The four linear inputs of a decoder layer, the residual stream between its branches, its output; one
// sequence.
struct NaiveLayer {
  Rows attention_input, attention_output, middle, mlp_input, mlp_hidden, output;
};

inline NaiveLayer naive_layer(const TinyModel& m, size_t index, const Rows& input) {
  const std::string layer = "model.layers." + std::to_string(index) + ".";
  const auto tensor = [&](const char* name) -> const TinyTensor& { return m.tensors.at(layer + name); };
  NaiveLayer result;
  result.attention_input = naive_norm(input, tensor("input_layernorm.weight"), m.epsilon);
  Rows q = naive_linear(result.attention_input, tensor("self_attn.q_proj.weight"));
  Rows k = naive_linear(result.attention_input, tensor("self_attn.k_proj.weight"));
  const Rows v = naive_linear(result.attention_input, tensor("self_attn.v_proj.weight"));
  naive_rotate(q, naive_frequencies(m.head_dim, m.theta));
  naive_rotate(k, naive_frequencies(m.head_dim, m.theta));
  result.attention_output = naive_attention(m, q, k, v, {1 / std::sqrt(double(m.head_dim))});
  Rows x = input;
  const Rows attention = naive_linear(result.attention_output, tensor("self_attn.o_proj.weight"));
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t j = 0; j < m.hidden; ++j) x[t][j] += attention[t][j];
  result.middle = x;
  result.mlp_input = naive_norm(x, tensor("post_attention_layernorm.weight"), m.epsilon);
  const Rows gate = naive_linear(result.mlp_input, tensor("mlp.gate_proj.weight"));
  result.mlp_hidden = naive_linear(result.mlp_input, tensor("mlp.up_proj.weight"));
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t j = 0; j < m.intermediate; ++j)
      result.mlp_hidden[t][j] *= gate[t][j] / (1 + std::exp(-gate[t][j]));
  const Rows mlp = naive_linear(result.mlp_hidden, tensor("mlp.down_proj.weight"));
  for (size_t t = 0; t < x.size(); ++t)
    for (size_t j = 0; j < m.hidden; ++j) x[t][j] += mlp[t][j];
  result.output = x;
  return result;
}

inline Rows naive_embed(const TinyModel& m, const std::vector<uint32_t>& tokens) {
  const TinyTensor& table = m.tensors.at("model.embed_tokens.weight");
  Rows x;
  for (const uint32_t token : tokens)
    x.emplace_back(table.values.begin() + token * m.hidden, table.values.begin() + (token + 1) * m.hidden);
  return x;
}

// [tokens][vocabulary]
inline Rows naive_logits(const TinyModel& m, const std::vector<uint32_t>& tokens) {
  Rows x = naive_embed(m, tokens);
  for (size_t i = 0; i < m.layers; ++i) x = naive_layer(m, i, x).output;
  x = naive_norm(x, m.tensors.at("model.norm.weight"), m.epsilon);
  return naive_linear(x, m.tensors.at(m.tied ? "model.embed_tokens.weight" : "lm_head.weight"));
}

// count ids below the vocabulary.
inline std::vector<uint32_t> random_tokens(size_t count, size_t vocabulary, uint32_t seed) {
  std::mt19937 source(seed);
  std::vector<uint32_t> tokens(count);
  for (uint32_t& token : tokens) token = uint32_t(source() % vocabulary);
  return tokens;
}
