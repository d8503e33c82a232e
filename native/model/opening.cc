// Model::open: from files to a checked structure.
#include <algorithm>
#include <filesystem>
#include <set>

#include "file/packed_shard.h"
#include "model/model.h"

namespace signum {
namespace {

std::string shape_text(const std::vector<size_t>& shape) {
  std::string text = "[";
  for (const size_t side : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(side);
  return text + "]";
}

bool is_weight_dtype(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

bool is_integer(DType dtype) { return dtype != DType::F64 && !is_weight_dtype(dtype); }

Error quantized(const std::string& tensor) {
  return {"already_quantized",
          "This model is already quantized (tensor " + tensor + "); give the original one.", ""};
}

Error missing(const std::string& name) {
  return {"tensor_missing", "The tensor " + name + " is missing.", ""};
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::open(const std::string& folder) {
  std::shared_ptr<Model> model(new Model);
  model->folder_ = folder;
  SIGNUM_TAKE(model->config_, read_config(folder));
  SIGNUM_TAKE(model->checkpoint_, open_checkpoint(folder));
  model->list_linears();
  model->needed_ = needed_tensors(model->config_);
  SIGNUM_TRY(model->open_packed());
  for (const LinearInfo& linear : model->linears_) SIGNUM_TRY(model->check_linear(linear));
  for (const NeededTensor& needed : model->needed_)
    if (const auto found = model->require(needed.name, needed.shape); !found.ok()) return found.error();
  SIGNUM_TRY(model->resolve_tables());
  model->note_unknown();
  model->count();
  return std::shared_ptr<const Model>(std::move(model));
}

void Model::list_linears() {
  for (size_t layer = 0; layer < config_.layers; ++layer)
    for (const LinearRule& rule : config_.architecture->linears)
      linears_.push_back({.name = layer_prefix(config_, layer) + rule.module,
                          .layer = layer,
                          .kind = rule.kind,
                          .input = rule.input,
                          .rows = width_of(rule.rows, config_),
                          .columns = width_of(rule.columns, config_)});
}

Status Model::open_packed() {
  if (!packed()) return {};
  for (const auto& [name, file] : checkpoint_.shards) {
    SIGNUM_TAKE(const auto shard, PackedShard::open(file));
    for (const auto& [linear, layout] : shard->layouts()) packed_linears_.emplace(linear, shard);
    for (const auto& [table, layout] : shard->tables()) packed_tables_.emplace(table, shard);
  }
  return {};
}

Result<const TensorView*> Model::require(const std::string& name, const std::vector<size_t>& shape) const {
  const TensorView* tensor = find(name);
  if (!tensor) return missing(name);
  if (is_integer(tensor->dtype)) return quantized(name);
  if (!is_weight_dtype(tensor->dtype))
    return Error{"tensor_shape",
                 "The tensor " + name + " is " + std::string(dtype_name(tensor->dtype)) +
                     "; supported: F32, F16, BF16.",
                 ""};
  if (tensor->shape != shape)
    return Error{"tensor_shape",
                 "The tensor " + name + " has shape " + shape_text(tensor->shape) +
                     ", but config.json means " + shape_text(shape) + ".",
                 ""};
  return tensor;
}

Status Model::check_linear(const LinearInfo& linear) const {
  if (const auto found = packed_linears_.find(linear.name); found != packed_linears_.end()) {
    const Layout& layout = found->second->layouts().at(linear.name);
    if (layout.rows == linear.rows && layout.columns == linear.columns) return {};
    return Error{"packed_broken",
                 "The linear " + linear.name + " is packed as " + shape_text({layout.rows, layout.columns}) +
                     ", but config.json means " + shape_text({linear.rows, linear.columns}) + ".",
                 ""};
  }
  const std::string name = linear.name + ".weight";
  if (!find(name))
    for (const char* role :
         {".qweight", ".weight_packed", ".weight_scale", ".SCB"})  // GPTQ, AWQ, compressed-tensors, LLM.int8
      if (find(linear.name + role)) return quantized(linear.name + role);
  const auto tensor = require(name, {linear.rows, linear.columns});
  return tensor.ok() ? Status() : tensor.error();
}

// The table that is stored under this name, or packed in its place.
Result<Table> Model::require_table(const std::string& tensor) const {
  const std::vector<size_t> shape = {config_.vocabulary, config_.embedding_width};
  const std::string name = table_name(tensor);
  if (const auto packed = packed_tables_.find(name); packed != packed_tables_.end()) {
    const Table table(packed->second, name);
    if (table.rows() == shape[0] && table.columns() == shape[1]) return table;
    return Error{"packed_broken",
                 "The table " + name + " is packed as " + shape_text({table.rows(), table.columns()}) +
                     ", but config.json means " + shape_text(shape) + ".",
                 ""};
  }
  SIGNUM_TAKE(const TensorView* stored, require(tensor, shape));
  return Table(*stored);
}

// Tied: one table serves both ends. Some files store it under the head's name only; where both names are
// stored, the embedding's counts, as in transformers' tie_weights().
Status Model::resolve_tables() {
  const std::string embedding = config_.architecture->embedding, head = config_.architecture->head;
  const auto there = [&](const std::string& tensor) {
    return find(tensor) || packed_tables_.contains(table_name(tensor));
  };
  if (!config_.tied) {
    SIGNUM_TAKE(embedding_, require_table(embedding));
    SIGNUM_TAKE(head_, require_table(head));
    return {};
  }
  SIGNUM_TAKE(embedding_, require_table(!there(embedding) && there(head) ? head : embedding));
  const TensorView* used = embedding_->stored();
  if (const TensorView* other = find(head); used && other && other != used) {
    SIGNUM_TAKE(other, require(head, used->shape));
    if (other->dtype != used->dtype || !std::ranges::equal(other->bytes, used->bytes))
      notes_.push_back("The configuration ties the head to the embeddings, but " + head +
                       " is stored with other values; they are not used.");
  }
  return {};
}

void Model::note_unknown() {
  std::set<std::string> known = {config_.architecture->embedding, config_.architecture->head};
  for (const NeededTensor& needed : needed_) known.insert(needed.name);
  for (const LinearInfo& linear : linears_) known.insert(linear.name + ".weight");
  size_t unknown = 0;
  std::string first;
  for (const auto& [name, tensor] : checkpoint_.tensors) {
    // Old checkpoints store the rotary frequencies, which follow from the configuration.
    if (known.count(name) || name.ends_with(".rotary_emb.inv_freq")) continue;
    if (const size_t dot = name.rfind('.');
        dot != std::string::npos && name.substr(dot) != ".bias" &&
        (packed_linears_.count(name.substr(0, dot)) || packed_tables_.count(name.substr(0, dot))))
      continue;
    if (unknown++ == 0) first = name;
  }
  if (unknown > 0)
    notes_.push_back(std::to_string(unknown) + (unknown == 1 ? " tensor is" : " tensors are") +
                     " not part of the architecture and not used: " + first + (unknown > 1 ? ", ..." : "") +
                     ".");
}

void Model::count() {
  size_t by_dtype[3] = {};  // elements in F32, F16, BF16
  const auto add = [&](const TensorView& tensor) {
    parameters_ += tensor.elements();
    by_dtype[tensor.dtype == DType::F32 ? 0 : tensor.dtype == DType::F16 ? 1 : 2] += tensor.elements();
  };
  for (const LinearInfo& linear : linears_) {
    if (packed_linears_.count(linear.name))
      parameters_ += linear.rows * linear.columns;
    else
      add(*find(linear.name + ".weight"));
  }
  for (const NeededTensor& needed : needed_) add(*find(needed.name));
  const auto add_table = [&](const Table& table) {
    if (table.stored())
      add(*table.stored());
    else
      parameters_ += table.rows() * table.columns();
  };
  add_table(*embedding_);
  if (head_) add_table(*head_);
  constexpr DType dtypes[] = {DType::F32, DType::F16, DType::BF16};
  dtype_ = dtypes[std::max_element(by_dtype, by_dtype + 3) - by_dtype];

  std::error_code ignored;
  files_.push_back(
      {"config.json", std::filesystem::file_size(std::filesystem::path(folder_) / "config.json", ignored)});
  files_.insert(files_.end(), checkpoint_.files.begin(), checkpoint_.files.end());
  for (const auto& [name, shard] : checkpoint_.shards) weight_bytes_ += shard->file_bytes();
}

}  // namespace signum
