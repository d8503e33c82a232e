// The tensors of a model under llama.cpp's names.
#include <algorithm>
#include <map>

#include "export/gguf_model.h"
#include "math/finite.h"

namespace signum {
namespace {

const std::map<std::string_view, const char*> kModules = {
    {"self_attn.q_proj", "attn_q"},      {"self_attn.k_proj", "attn_k"}, {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"mlp.gate_proj", "ffn_gate"},  {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};

// A head's rotary pairs lie half a head apart in the folder and side by side in llama.cpp: row i of the first
// half becomes row 2 i, row i of the second half 2 i + 1.
Matrix paired(const Matrix& rows, size_t heads) {
  const size_t head = rows.rows() / heads, half = head / 2;
  Matrix out = Matrix::uninitialized(rows.rows(), rows.columns());
  for (size_t i = 0; i < rows.rows(); ++i) {
    const size_t from = i % head < half ? i % head : i % head - half;
    const size_t to = i / head * head + 2 * from + (i % head < half ? 0 : 1);
    std::copy_n(rows.row(i), rows.columns(), out.row(to));
  }
  return out;
}

// A stored table, some rows at a time: one of them can be as large as many layers.
Status give_rows(const TensorView& tensor, const RowSink& sink) {
  constexpr size_t kBand = size_t(1) << 22;  // numbers
  const size_t rows = tensor.shape[0], columns = tensor.shape[1];
  const size_t band = std::max<size_t>(1, kBand / std::max<size_t>(1, columns));
  Matrix scratch = Matrix::uninitialized(std::min(band, rows), columns);
  for (size_t first = 0; first < rows; first += band) {
    const size_t count = std::min(band, rows - first);
    to_f32(tensor.dtype, tensor.bytes.data() + first * columns * dtype_bytes(tensor.dtype), count * columns,
           scratch.data());
    if (!all_finite(scratch.data(), count * columns))
      return Error{"weights_not_finite", "The tensor " + tensor.name + " holds NaN or infinity.", ""};
    SIGNUM_TRY(sink({scratch.data(), count, columns, columns}));
  }
  return {};
}

class Tensors {
 public:
  Tensors(const Model& model, GgufType type, ThreadPool& pool) : model_(model), type_(type), pool_(pool) {}

  std::vector<GgufTensor> list() {
    const Architecture& architecture = *model_.config().architecture;
    table("token_embd.weight", model_.embedding_table());
    for (size_t layer = 0; layer < model_.config().layers; ++layer) {
      const std::string block = "blk." + std::to_string(layer) + ".";
      const std::string prefix = layer_prefix(model_.config(), layer);
      norm(block + "attn_norm.weight", prefix + architecture.norms[size_t(LayerNorm::Attention)]);
      norm(block + "ffn_norm.weight", prefix + architecture.norms[size_t(LayerNorm::Mlp)]);
      for (const LinearInfo& info : model_.linears_of(layer)) {
        const std::string_view module = std::string_view(info.name).substr(prefix.size());
        linear(block + kModules.at(module), info, turned_heads(module));
      }
    }
    norm("output_norm.weight", architecture.final_norm);
    if (!model_.config().tied) table("output.weight", model_.head_table());
    return std::move(tensors_);
  }

 private:
  // The heads of a linear whose outputs llama.cpp turns in pairs that lie side by side; 0: it does not.
  size_t turned_heads(std::string_view module) const {
    if (module == "self_attn.q_proj") return model_.config().heads;
    if (module == "self_attn.k_proj") return model_.config().kv_heads;
    return 0;
  }

  void table(const std::string& name, const TensorView& stored) {
    tensors_.push_back({name, stored.shape[0], stored.shape[1], type_,
                        [&stored](const RowSink& sink) { return give_rows(stored, sink); }});
  }

  void linear(const std::string& name, const LinearInfo& info, size_t heads) {
    tensors_.push_back({name + ".weight", info.rows, info.columns, type_,
                        [&model = model_, &pool = pool_, &info, heads](const RowSink& sink) -> Status {
                          SIGNUM_TAKE(Matrix weight, model.weight(info, pool));
                          if (heads > 0) weight = paired(weight, heads);
                          return sink(weight.view());
                        }});
  }

  void norm(const std::string& name, const std::string& stored) {
    const TensorView& tensor = *model_.find(stored + ".weight");
    tensors_.push_back(
        {name, 0, tensor.elements(), GgufType::F32, [&tensor, &pool = pool_](const RowSink& sink) -> Status {
           SIGNUM_TAKE(const Matrix gain, Model::to_matrix(tensor, pool));
           return sink(gain.view());
         }});
  }

  const Model& model_;
  GgufType type_;
  ThreadPool& pool_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace

std::vector<GgufTensor> gguf_tensors(const Model& model, GgufType type, ThreadPool& pool) {
  return Tensors(model, type, pool).list();
}

}  // namespace signum
