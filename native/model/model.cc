#include "model/model.h"

#include <algorithm>
#include <atomic>

#include "base/pool.h"
#include "file/packed_shard.h"
#include "math/finite.h"

namespace signum {
namespace {

constexpr size_t kBand = size_t(1) << 16;  // elements converted by one task

// Converts and checks; out [elements].
Status convert(const TensorView& tensor, float* out, ThreadPool& pool) {
  const size_t count = tensor.elements(), width = dtype_bytes(tensor.dtype);
  std::atomic<bool> finite{true};
  pool.parallel_for((count + kBand - 1) / kBand, [&](size_t band) {
    const size_t first = band * kBand, n = std::min(kBand, count - first);
    to_f32(tensor.dtype, tensor.bytes.data() + first * width, n, out + first);
    if (!all_finite(out + first, n)) finite = false;
  });
  if (!finite) return weights_not_finite(tensor.name);
  return {};
}

bool is_weight_dtype(DType dtype) {
  return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
}

}  // namespace

std::span<const LinearInfo> Model::linears_of(size_t layer) const {
  const size_t per_layer = config_.architecture->linears.size();
  return std::span(linears_).subspan(layer * per_layer, per_layer);
}

size_t Model::input_width(LinearInput input) const {
  for (const LinearRule& rule : config_.architecture->linears)
    if (rule.input == input) return width_of(rule.columns, config_);
  return 0;
}

const TensorView* Model::find(const std::string& name) const {
  const auto found = checkpoint_.tensors.find(name);
  return found == checkpoint_.tensors.end() ? nullptr : found->second;
}

std::vector<const TensorView*> Model::other_tensors(size_t layer) const {
  // A tensor belongs to a linear when it is its weight or, packed, one of its planes and scales.
  const auto of_linear = [&](const std::string& name) {
    const size_t dot = name.rfind('.');
    if (dot == std::string::npos) return false;
    const std::string owner = name.substr(0, dot);
    if (packed_linears_.count(owner)) return name.substr(dot) != ".bias";
    return name.substr(dot) == ".weight" &&
           std::ranges::any_of(linears_, [&](const LinearInfo& linear) { return linear.name == owner; });
  };
  const auto layer_of = [&](const std::string& name) {
    for (size_t i = 0; i < config_.layers; ++i)
      if (name.starts_with(layer_prefix(config_, i))) return i;
    return config_.layers;
  };
  std::vector<const TensorView*> found;
  for (const auto& [name, tensor] : checkpoint_.tensors)
    if (layer_of(name) == layer && !of_linear(name)) found.push_back(tensor);
  return found;
}

Result<Matrix> Model::weight(const LinearInfo& linear, ThreadPool& pool) const {
  if (const auto found = packed_linears_.find(linear.name); found != packed_linears_.end()) {
    SIGNUM_TAKE(const PackedLinear packed, found->second->linear(linear.name));
    SIGNUM_TAKE(Matrix decoded, decode(packed, pool));
    if (!all_finite(decoded.view(), pool)) return weights_not_finite(linear.name);
    return decoded;
  }
  return to_matrix(*find(linear.name + ".weight"), pool);
}

Result<MappedMatrix> Model::mapped(const LinearInfo& linear, ThreadPool& pool) const {
  SIGNUM_TAKE(auto packed, packed_view(linear));
  if (!packed) return MappedMatrix::of(*find(linear.name + ".weight"), pool);
  return MappedMatrix::of(linear.name, std::move(*packed), pool);
}

Result<std::optional<PackedView>> Model::packed_view(const LinearInfo& linear) const {
  const auto found = packed_linears_.find(linear.name);
  if (found == packed_linears_.end()) return std::optional<PackedView>();
  SIGNUM_TAKE(PackedView packed, found->second->view(linear.name));
  return std::optional(std::move(packed));
}

Result<Matrix> Model::to_matrix(const TensorView& tensor, ThreadPool& pool) {
  const size_t rows = tensor.shape.size() < 2 ? 1 : tensor.shape[0];
  Matrix matrix(rows, rows == 0 ? 0 : tensor.elements() / rows);
  SIGNUM_TRY(convert(tensor, matrix.data(), pool));
  return matrix;
}

Status Model::check_finite(ThreadPool& pool) const {
  for (const auto& [name, tensor] : checkpoint_.tensors)
    if (is_weight_dtype(tensor->dtype) && !all_finite(tensor->dtype, tensor->bytes, pool))
      return weights_not_finite(name);
  return {};
}

Status Model::unchanged() const {
  for (const auto& [name, shard] : checkpoint_.shards) SIGNUM_TRY(shard->unchanged());
  return {};
}

}  // namespace signum
