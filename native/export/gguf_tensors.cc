// The tensors of a model under llama.cpp's names.
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "export/gguf_model.h"
#include "math/finite.h"

namespace signum {
namespace {

const std::map<std::string_view, const char*> kModules = {
    {"self_attn.q_proj", "attn_q"},     {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
    {"self_attn.qkv_proj", "attn_qkv"}, {"self_attn.o_proj", "attn_output"}, {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},          {"mlp.gate_up_proj", "ffn_up"},      {"mlp.down_proj", "ffn_down"},
};

// By LayerNorm.
constexpr const char* kNorms[] = {"attn_norm", "post_attention_norm", "attn_q_norm", "attn_k_norm",
                                  "ffn_norm",  "post_ffw_norm"};

// A head's rotary pairs lie half a head apart in the folder; here row i of the first half becomes row 2 i,
// and row i of the second half 2 i + 1.
Matrix side_by_side(const Matrix& rows, size_t heads) {
  const size_t head = rows.rows() / heads, half = head / 2;
  Matrix out = Matrix::uninitialized(rows.rows(), rows.columns());
  for (size_t i = 0; i < rows.rows(); ++i) {
    const size_t in_head = i % head;
    const size_t to = i - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
    std::copy_n(rows.row(i), rows.columns(), out.row(to));
  }
  return out;
}

// What llama.cpp divides each frequency by: Llama 3's scaling (model/rotary.h).
Matrix stretching(const Rope& rope, size_t head_dim) {
  Matrix factors(1, head_dim / 2);
  for (size_t i = 0; i < head_dim / 2; ++i) {
    const double wavelength = 2 * std::numbers::pi * std::pow(rope.theta, double(2 * i) / double(head_dim));
    const double turns = rope.trained_length / wavelength;
    const double kept =
        std::clamp((turns - rope.low_factor) / (rope.high_factor - rope.low_factor), 0.0, 1.0);
    factors(0, i) = float(1 / ((1 - kept) / rope.factor + kept));
  }
  return factors;
}

class Tensors {
 public:
  Tensors(const Model& model, const GgufFamily& family, ThreadPool& pool)
      : model_(model), config_(model.config()), family_(family), pool_(pool) {}

  std::vector<GgufTensor> list() {
    table("token_embd.weight", model_.embedding_table());
    if (config_.ropes[0].scaling == Rope::Scaling::Llama3)
      vector("rope_freqs.weight", config_.head_dim / 2,
             [this_rope = config_.ropes[0], head_dim = config_.head_dim]() -> Result<Matrix> {
               return stretching(this_rope, head_dim);
             });
    for (size_t index = 0; index < config_.layers; ++index) layer(index);
    norm("output_norm", config_.architecture->final_norm);
    if (!config_.tied) table("output.weight", model_.head_table());
    return std::move(tensors_);
  }

 private:
  void layer(size_t index) {
    const std::string block = "blk." + std::to_string(index) + ".", prefix = layer_prefix(config_, index);
    for (size_t which = 0; which < kLayerNorms; ++which)
      if (const char* name = config_.architecture->norms[which]) norm(block + kNorms[which], prefix + name);
    for (const LinearInfo& info : model_.linears_of(index)) {
      const std::string_view module = std::string_view(info.name).substr(prefix.size());
      const std::string name = block + kModules.at(module);
      linear(name, info, heads_of(module));
      if (has_bias(config_, info.input)) bias(name, info.name, heads_of(module));
    }
  }

  // The heads of a linear whose rows are to be reordered; 0: they stay.
  size_t heads_of(std::string_view module) const {
    if (!family_.side_by_side) return 0;
    if (module == "self_attn.q_proj") return config_.heads;
    if (module == "self_attn.k_proj") return config_.kv_heads;
    return 0;
  }

  void add(const std::string& name, size_t rows, size_t columns,
           std::function<Status(const RowSink&)> produce) {
    tensors_.push_back({.name = name, .rows = rows, .columns = columns, .produce = std::move(produce)});
  }

  void table(const std::string& name, const Table& table) {
    add(name, table.rows(), table.columns(),
        [&table, &pool = pool_](const RowSink& sink) { return table.for_bands(sink, pool); });
  }

  void linear(const std::string& name, const LinearInfo& info, size_t heads) {
    add(name + ".weight", info.rows, info.columns,
        [&model = model_, &pool = pool_, &info, heads](const RowSink& sink) -> Status {
          SIGNUM_TAKE(Matrix weight, model.weight(info, pool));
          if (heads > 0) weight = side_by_side(weight, heads);
          return sink(weight.view());
        });
  }

  void vector(const std::string& name, size_t width, std::function<Result<Matrix>()> make) {
    add(name, 0, width, [make](const RowSink& sink) -> Status {
      SIGNUM_TAKE(const Matrix values, make());
      return sink(values.view());
    });
  }

  void norm(const std::string& name, const std::string& stored) {
    const TensorView& tensor = *model_.find(stored + ".weight");
    const float more = config_.architecture->norm == NormKind::RmsPlusOne ? 1 : 0;
    vector(name + ".weight", tensor.elements(), [&tensor, &pool = pool_, more]() -> Result<Matrix> {
      SIGNUM_TAKE(Matrix gain, Model::to_matrix(tensor, pool));
      for (size_t i = 0; i < gain.size(); ++i) gain.data()[i] += more;
      return gain;
    });
  }

  void bias(const std::string& name, const std::string& linear, size_t heads) {
    const TensorView& tensor = *model_.find(linear + ".bias");
    vector(name + ".bias", tensor.elements(), [&tensor, &pool = pool_, heads]() -> Result<Matrix> {
      SIGNUM_TAKE(const Matrix stored, Model::to_matrix(tensor, pool));
      Matrix column(stored.size(), 1);
      std::copy_n(stored.data(), stored.size(), column.data());
      if (heads > 0) column = side_by_side(column, heads);
      Matrix out(1, stored.size());
      std::copy_n(column.data(), column.size(), out.data());
      return out;
    });
  }

  const Model& model_;
  const ModelConfig& config_;
  const GgufFamily& family_;
  ThreadPool& pool_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace

std::vector<GgufTensor> gguf_tensors(const Model& model, const GgufFamily& family, ThreadPool& pool) {
  return Tensors(model, family, pool).list();
}

}  // namespace signum
