#include "run/shard.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "file/json_file.h"
#include "file/packed_shard.h"
#include "file/sha256.h"

namespace signum {
namespace {

using Json = nlohmann::json;

std::string path_in(const std::string& folder, size_t index, size_t count) {
  return folder + "/" + shard_name(index, count);
}

}  // namespace

size_t NamedLinear::stored_bytes() const {
  return packed.bytes() + (stores_order ? order_tensor(*packed.order).bytes.size() : 0);
}

void share_orders(std::vector<NamedLinear>& linears) {
  std::vector<const NamedLinear*> stored;
  for (NamedLinear& linear : linears) {
    Layout& layout = linear.packed.layout;
    layout.has_order = linear.packed.order != nullptr;
    if (!layout.has_order) continue;
    const auto same = [&](const NamedLinear* one) {
      return one->packed.order == linear.packed.order || *one->packed.order == *linear.packed.order;
    };
    const auto first = std::ranges::find_if(stored, same);
    linear.stores_order = first == stored.end();
    layout.order_tensor = (linear.stores_order ? linear.name : (*first)->name) + ".order";
    if (linear.stores_order) stored.push_back(&linear);
  }
}

std::string shard_name(size_t index, size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", index + 1, count);
  return name;
}

Status write_shard(const std::string& path, const std::vector<NamedLinear>& linears,
                   const std::vector<const TensorView*>& copied, const std::vector<TensorToWrite>& extra,
                   const Fingerprint& fingerprint, const std::vector<NamedLinear>& tables) {
  std::vector<TensorToWrite> tensors = extra;
  std::vector<PackedTensor> orders;
  orders.reserve(linears.size());  // tensors point into it
  const auto add = [&](const NamedLinear& linear, Json& layouts) {
    layouts[linear.name] = Json::parse(layout_to_json(linear.packed.layout));
    for (const PackedTensor& tensor : linear.packed.tensors)
      tensors.push_back({linear.name + "." + tensor.role, tensor.dtype, tensor.shape, tensor.bytes});
  };
  Json layouts = Json::object(), table_layouts = Json::object();
  for (const NamedLinear& linear : linears) {
    add(linear, layouts);
    if (!linear.stores_order) continue;
    const PackedTensor& order = orders.emplace_back(order_tensor(*linear.packed.order));
    tensors.push_back({linear.packed.layout.order_tensor, order.dtype, order.shape, order.bytes});
  }
  for (const NamedLinear& table : tables) add(table, table_layouts);
  for (const TensorView* tensor : copied)
    tensors.push_back({tensor->name, tensor->dtype, tensor->shape, tensor->bytes});
  std::map<std::string, std::string> metadata = {
      {"signum_format", "1"},         {"program", fingerprint.program},
      {"recipe", fingerprint.recipe}, {"calibration", fingerprint.calibration},
      {"source", fingerprint.source}, {"linears", layouts.dump()}};
  if (!tables.empty()) metadata["tables"] = table_layouts.dump();
  return write_safetensors(path, std::move(tensors), std::move(metadata), true);
}

Result<std::shared_ptr<const PackedShard>> verified_shard(const std::string& path,
                                                          const Fingerprint& fingerprint) {
  const auto broken = [&](const std::string& what) {
    return Error{"packed_broken", std::filesystem::path(path).filename().string() + ": " + what + ".", path};
  };
  if (!std::filesystem::exists(path)) return broken("the shard of a finished layer is gone");
  SIGNUM_TAKE(auto shard, PackedShard::open(path));
  const SafetensorsFile& file = *shard->file();
  const auto same = [&](const char* key, const std::string& value) {
    const auto found = file.metadata().find(key);
    return found != file.metadata().end() && found->second == value;
  };
  if (!same("program", fingerprint.program) || !same("recipe", fingerprint.recipe) ||
      !same("calibration", fingerprint.calibration) || !same("source", fingerprint.source))
    return broken("the shard is of another run");
  const auto text = file.metadata().find("sha256");
  const Json hashes = text == file.metadata().end() ? Json() : Json::parse(text->second, nullptr, false);
  for (const auto& [name, tensor] : file.tensors())
    if (!hashes.is_object() || hashes.value(name, Json()) != sha256_hex(tensor.bytes))
      return broken("tensor " + name + " has not the bytes that were written");
  return shard;
}

Status write_index(const std::string& folder, size_t count) {
  Json places = Json::object();
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    SIGNUM_TAKE(const auto file, SafetensorsFile::open(path_in(folder, i, count)));
    for (const auto& [name, tensor] : file->tensors()) {
      places[name] = shard_name(i, count);
      total += tensor.bytes.size();
    }
  }
  const Json index = {{"metadata", {{"signum_format", "1"}, {"total_size", total}}}, {"weight_map", places}};
  return write_text_file(folder + "/model.safetensors.index.json", index.dump(2) + "\n");
}

Result<PackedNumbers> count_packed(const std::string& folder, size_t count, const Model& model) {
  const size_t parameters = model.parameters();
  PackedNumbers numbers;
  double nominal = 0;  // bits
  for (size_t i = 0; i < count; ++i) {
    SIGNUM_TAKE(const auto shard, PackedShard::open(path_in(folder, i, count)));
    numbers.file_bytes += shard->file()->file_bytes();
    std::set<std::string> counted;
    const auto add = [&](const std::string& name) {
      if (counted.insert(name).second) numbers.linear_bytes += shard->file()->find(name)->bytes.size();
    };
    for (const auto& [name, layout] : shard->layouts()) {
      const size_t weights = layout.rows * layout.columns;
      numbers.weights += weights;
      nominal += PackedLinear{layout, {}, nullptr}.nominal_bits() * double(weights);
      for (const TensorRule& rule : tensor_rules(layout)) add(name + "." + rule.role);
      if (layout.has_order) add(layout.order_tensor);
    }
    for (const LinearInfo& linear : model.linears()) {
      const TensorView* kept = shard->file()->find(linear.name + ".weight");
      if (!kept) continue;
      add(kept->name);
      numbers.weights += kept->elements();
      nominal += 8.0 * double(kept->bytes.size());
    }
  }
  if (numbers.weights > 0) {
    numbers.nominal_bits = nominal / double(numbers.weights);
    numbers.linear_bits = 8.0 * double(numbers.linear_bytes) / double(numbers.weights);
  }
  if (parameters > 0) numbers.file_bits = 8.0 * double(numbers.file_bytes) / double(parameters);
  return numbers;
}

}  // namespace signum
