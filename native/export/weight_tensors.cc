#include "export/weight_tensors.h"

#include <algorithm>

#include "export/float_bytes.h"

namespace signum {
namespace {

using Sink = std::function<Status(ConstView)>;

WeightTensor table_tensor(const char* name, const Table& table, ThreadPool& pool) {
  return {.name = name, .shape = {table.rows(), table.columns()}, .rows = [&table, &pool](const Sink& sink) {
            return table.for_bands(sink, pool);
          }};
}

WeightTensor linear_tensor(const Model& model, const LinearInfo& linear, ThreadPool& pool) {
  return {.name = linear.name + ".weight",
          .shape = {linear.rows, linear.columns},
          .linear = &linear,
          .rows = [&model, &linear, &pool](const Sink& sink) -> Status {
            SIGNUM_TAKE(const Matrix weight, model.weight(linear, pool));
            return sink(weight.view());
          }};
}

WeightTensor stored_tensor(const TensorView& tensor, ThreadPool& pool) {
  return {.name = tensor.name, .shape = tensor.shape, .rows = [&tensor, &pool](const Sink& sink) -> Status {
            SIGNUM_TAKE(const Matrix values, Model::to_matrix(tensor, pool));
            return sink(values.view());
          }};
}

}  // namespace

std::vector<WeightTensor> weight_tensors(const Model& model, ThreadPool& pool) {
  const ModelConfig& config = model.config();
  std::vector<WeightTensor> tensors;
  tensors.push_back(table_tensor(config.architecture->embedding, model.embedding_table(), pool));
  const std::vector<NeededTensor> needed = needed_tensors(config);
  const auto add_needed = [&](const std::string& prefix, bool inside) {
    for (const NeededTensor& one : needed)
      if (one.name.starts_with(prefix) == inside)
        tensors.push_back(stored_tensor(*model.find(one.name), pool));
  };
  for (size_t layer = 0; layer < config.layers; ++layer) {
    for (const LinearInfo& linear : model.linears_of(layer))
      tensors.push_back(linear_tensor(model, linear, pool));
    add_needed(layer_prefix(config, layer), true);
  }
  add_needed(config.architecture->layers, false);
  if (!config.tied) tensors.push_back(table_tensor(config.architecture->head, model.head_table(), pool));
  return tensors;
}

FolderTensor stored_as(const WeightTensor& tensor, DType type) {
  const auto in_bytes = [rows = tensor.rows, name = tensor.name, type](const auto& use) {
    std::vector<uint8_t> bytes;
    return rows([&](ConstView some) -> Status {
      SIGNUM_TRY(to_float_bytes(type, some, name, bytes));
      return use(some, bytes);
    });
  };
  const auto produce = [in_bytes](const ByteSink& sink) {
    return in_bytes([&](ConstView, const std::vector<uint8_t>& bytes) { return sink(bytes); });
  };
  const auto verify = [in_bytes, type](const TensorView& read, const FindTensor&, const Done& done,
                                       RoundingError& error) {
    auto left = read.bytes;
    return in_bytes([&](ConstView meant, const std::vector<uint8_t>& bytes) -> Status {
      if (bytes.size() > left.size() || !std::ranges::equal(bytes, left.first(bytes.size())))
        return differs(read.name);
      std::vector<float> stored(bytes.size() / dtype_bytes(type));
      to_f32(type, left.data(), stored.size(), stored.data());
      for (size_t i = 0; i < meant.rows; ++i)
        error.add(meant.row(i), stored.data() + i * meant.columns, meant.columns);
      left = left.subspan(bytes.size());
      return done(bytes.size());
    });
  };
  return {{tensor.name, type, tensor.shape, produce}, std::string(dtype_name(type)), verify};
}

}  // namespace signum
