#include "file/packed_shard.h"

#include <filesystem>
#include <nlohmann/json.hpp>

namespace signum {
namespace {

Error broken(const SafetensorsFile& file, const std::string& what) {
  return {"packed_broken", std::filesystem::path(file.path()).filename().string() + ": " + what + ".",
          file.path()};
}

std::string shape_text(const std::vector<size_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Status check_tensor(const SafetensorsFile& file, const std::string& name, DType dtype,
                    const std::vector<size_t>& shape) {
  const TensorView* tensor = file.find(name);
  if (!tensor) return broken(file, "tensor " + name + " is missing");
  if (tensor->dtype != dtype || tensor->shape != shape)
    return broken(file, "tensor " + name + " is " + std::string(dtype_name(tensor->dtype)) + " " +
                            shape_text(tensor->shape) + ", the layout needs " +
                            std::string(dtype_name(dtype)) + " " + shape_text(shape));
  return {};
}

DType order_dtype(size_t columns) { return columns < 65536 ? DType::U16 : DType::U32; }

}  // namespace

Result<std::shared_ptr<const PackedShard>> PackedShard::open(const std::string& path) {
  SIGNUM_TAKE(auto file, SafetensorsFile::open(path));
  return open(std::move(file));
}

Result<std::shared_ptr<const PackedShard>> PackedShard::open(std::shared_ptr<SafetensorsFile> file) {
  const auto& metadata = file->metadata();
  const auto format = metadata.find("signum_format");
  if (format == metadata.end()) return broken(*file, "the metadata has no signum_format");
  if (format->second != "1") return broken(*file, "signum_format is " + format->second + ", only 1 is known");
  if (!metadata.contains("linears")) return broken(*file, "the metadata has no linears");
  std::shared_ptr<PackedShard> shard(new PackedShard(std::move(file)));
  SIGNUM_TRY(shard->add_layouts("linears", shard->layouts_));
  SIGNUM_TRY(shard->add_layouts("tables", shard->tables_));
  for (const auto& [name, layout] : shard->tables_)
    if (layout.method != Method::Rtn) return broken(*shard->file_, "the table " + name + " is not rtn");
  return std::shared_ptr<const PackedShard>(std::move(shard));
}

// The layouts that the metadata have under this key; none where the key is not there.
Status PackedShard::add_layouts(const char* key, std::map<std::string, Layout>& layouts) {
  const auto text = file_->metadata().find(key);
  if (text == file_->metadata().end()) return {};
  const auto entries = nlohmann::json::parse(text->second, nullptr, false);
  if (!entries.is_object())
    return broken(*file_, "the metadata's " + std::string(key) + " are not a JSON object");
  for (const auto& [name, entry] : entries.items()) {
    SIGNUM_TAKE(Layout layout, layout_from_json(name, entry.dump()));
    for (const TensorRule& rule : tensor_rules(layout))
      SIGNUM_TRY(check_tensor(*file_, name + "." + rule.role, rule.dtype, rule.shape));
    if (layout.has_order)
      SIGNUM_TRY(check_tensor(*file_, layout.order_tensor, order_dtype(layout.columns), {layout.columns}));
    layouts.emplace(name, std::move(layout));
  }
  return {};
}

Result<PackedLinear> PackedShard::table_rows(const std::string& name, std::span<const uint32_t> rows) const {
  const auto found = tables_.find(name);
  if (found == tables_.end()) return broken(*file_, "it holds no table " + name);
  PackedLinear some;
  some.layout = found->second;
  some.layout.rows = rows.size();
  for (const TensorRule& rule : tensor_rules(some.layout)) {
    const TensorView& view = *file_->find(name + "." + rule.role);
    const size_t width = view.bytes.size() / found->second.rows;
    PackedTensor tensor{rule.role, rule.dtype, rule.shape, {}};
    tensor.bytes.reserve(rows.size() * width);
    for (const uint32_t row : rows) {
      if (row >= found->second.rows)
        return broken(*file_, "the table " + name + " has no row " + std::to_string(row));
      const auto bytes = view.bytes.subspan(row * width, width);
      tensor.bytes.insert(tensor.bytes.end(), bytes.begin(), bytes.end());
    }
    some.tensors.push_back(std::move(tensor));
  }
  return some;
}

PackedView PackedShard::tensors_of(const std::string& name, const Layout& layout) const {
  PackedView view{.layout = layout, .tensors = {}, .order = nullptr};
  for (const TensorRule& rule : tensor_rules(layout))
    view.tensors[rule.role] = file_->find(name + "." + rule.role)->bytes;
  return view;
}

PackedView PackedShard::table_view(const std::string& name) const {
  return tensors_of(name, tables_.at(name));
}

Result<PackedView> PackedShard::view(const std::string& name) const {
  const auto found = layouts_.find(name);
  if (found == layouts_.end()) return broken(*file_, "it holds no linear " + name);
  PackedView linear = tensors_of(name, found->second);
  if (linear.layout.has_order) {
    const TensorView& view = *file_->find(linear.layout.order_tensor);
    auto order = order_from_tensor(view.dtype, linear.layout.columns, view.bytes.data(), view.bytes.size());
    if (!order.ok()) return broken(*file_, "tensor " + view.name + ": " + order.error().message);
    linear.order = std::make_shared<const std::vector<uint32_t>>(std::move(order).value());
  }
  return linear;
}

Result<PackedLinear> PackedShard::linear(const std::string& name) const {
  SIGNUM_TAKE(const PackedView mapped, view(name));
  PackedLinear linear{.layout = mapped.layout, .tensors = {}, .order = mapped.order};
  for (const TensorRule& rule : tensor_rules(linear.layout)) {
    const auto bytes = mapped.bytes(rule.role);
    linear.tensors.push_back({rule.role, rule.dtype, rule.shape, {bytes.begin(), bytes.end()}});
  }
  return linear;
}

}  // namespace signum
