// A model folder, original (Hugging Face layout) or packed (docs/FORMAT.md), opened for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "file/safetensors.h"
#include "methods/packed_view.h"
#include "model/architecture.h"
#include "model/checkpoint.h"
#include "model/config.h"
#include "model/mapped_matrix.h"
#include "model/needed_tensors.h"
#include "model/table.h"

namespace signum {

class PackedShard;
class ThreadPool;

// One linear of one decoder layer. Its tensor is name + ".weight" [rows, columns].
struct LinearInfo {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  size_t layer = 0;
  std::string kind;  // "q_proj"
  LinearInput input = LinearInput::Attention;
  size_t rows = 0;     // outputs
  size_t columns = 0;  // inputs
};

// Immutable after open(); reading weights is safe from several threads.
class Model {
 public:
  // Opens and checks the whole structure without reading weights: every tensor of the architecture is there
  // with its shape and a floating dtype (or, in a packed folder, with a layout that fits). Links to files are
  // followed. Errors: those of read_config; already_quantized, checkpoint_not_safetensors, shard_missing,
  // shard_broken, tensor_missing, tensor_shape; packed_broken for a packed folder.
  static Result<std::shared_ptr<const Model>> open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  const ModelConfig& config() const { return config_; }
  bool packed() const { return checkpoint_.packed; }
  // Numbers in all tensors of the architecture; a tied table counts once, a packed linear as rows * columns.
  size_t parameters() const { return parameters_; }
  // Dtype that holds most of the stored floating numbers (in a packed folder: of what was not quantized),
  // "F16".
  DType dtype() const { return dtype_; }
  // Every file that was read: config.json, the index if there is one, the safetensors files by name.
  const std::vector<ModelFile>& files() const { return files_; }
  // Sum over the safetensors files.
  size_t weight_bytes() const { return weight_bytes_; }
  // Oddities worth a warning: one sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

  // All linears, layer by layer, in the architecture's order within a layer.
  const std::vector<LinearInfo>& linears() const { return linears_; }
  // Those of one layer.
  std::span<const LinearInfo> linears_of(size_t layer) const;
  // Columns of linears with this input.
  size_t input_width(LinearInput input) const;

  // The stored tensors that are not a linear's weight, by name: layer < layers: below that layer (norms,
  // biases); layer == layers: the rest (embedding, final norm, head). Names the architecture does not know
  // are included, so a copy loses nothing.
  std::vector<const TensorView*> other_tensors(size_t layer) const;
  // Null when there is no such stored tensor.
  const TensorView* find(const std::string& name) const;
  // The [vocabulary, embedding_width] tables, after tying is resolved; the same tensor when the model is
  // tied.
  const Table& embedding_table() const { return *embedding_; }
  const Table& head_table() const { return head_ ? *head_ : *embedding_; }

  // A linear's weight [rows, columns] in F32: converted, or decoded from its planes. Errors:
  // weights_not_finite, packed_broken.
  Result<Matrix> weight(const LinearInfo& linear, ThreadPool& pool) const;
  // The same where it is mapped, checked. Valid as long as the model is. Errors: weights_not_finite,
  // packed_broken.
  Result<MappedMatrix> mapped(const LinearInfo& linear, ThreadPool& pool) const;
  // What a packed linear consists of, not checked yet (check_view); nothing where it is stored as a matrix.
  // Valid as long as the model is. Error packed_broken.
  Result<std::optional<PackedView>> packed_view(const LinearInfo& linear) const;
  // A stored floating tensor as F32, rows = shape[0] (1 for a vector), columns = the rest. Error:
  // weights_not_finite.
  static Result<Matrix> to_matrix(const TensorView& tensor, ThreadPool& pool);
  // Reads every stored weight once and refuses NaN and infinity (weights_not_finite), so that a long run need
  // not fail late.
  Status check_finite(ThreadPool& pool) const;
  // model_changed when a mapped file is not what it was at open().
  Status unchanged() const;

 private:
  Model() = default;
  // Steps of open() (opening.cc), in this order.
  void list_linears();
  Status open_packed();
  Status check_linear(const LinearInfo& linear) const;
  Result<Table> require_table(const std::string& tensor) const;
  Status resolve_tables();
  void note_unknown();
  void count();
  // The tensor, when it is there with this shape and a dtype of weights.
  Result<const TensorView*> require(const std::string& name, const std::vector<size_t>& shape) const;

  std::string folder_;
  ModelConfig config_;
  Checkpoint checkpoint_;
  size_t parameters_ = 0;
  DType dtype_ = DType::F32;
  size_t weight_bytes_ = 0;
  std::vector<ModelFile> files_;
  std::vector<std::string> notes_;
  std::vector<LinearInfo> linears_;
  std::vector<NeededTensor> needed_;
  std::map<std::string, std::shared_ptr<const PackedShard>> packed_linears_;  // by linear name
  std::map<std::string, std::shared_ptr<const PackedShard>> packed_tables_;   // by name
  std::optional<Table> embedding_;
  std::optional<Table> head_;  // empty: tied
};

}  // namespace signum
