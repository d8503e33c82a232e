#include "model/model.h"

#include <algorithm>
#include <atomic>

#include "base/pool.h"
#include "file/packed_shard.h"
#include "math/finite.h"

namespace signum {
namespace {

constexpr size_t kBand = size_t(1) << 16;  // elements converted by one task

Error not_finite(const std::string& name) {
  return {"weights_not_finite", "The tensor " + name + " holds NaN or infinity.", ""};
}

// Converts and checks; out [elements] or null: check only.
Status convert(const TensorView& tensor, float* out, ThreadPool& pool) {
  const size_t count = tensor.elements(), width = dtype_bytes(tensor.dtype);
  std::atomic<bool> finite{true};
  pool.parallel_for((count + kBand - 1) / kBand, [&](size_t band) {
    const size_t first = band * kBand, n = std::min(kBand, count - first);
    std::unique_ptr<float[], AlignedFree> scratch;
    if (!out) scratch = aligned_array<float>(n);
    float* target = out ? out + first : scratch.get();
    to_f32(tensor.dtype, tensor.bytes.data() + first * width, n, target);
    if (!all_finite(target, n)) finite = false;
  });
  if (!finite) return not_finite(tensor.name);
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
    if (!all_finite(decoded.view(), pool)) return not_finite(linear.name);
    return decoded;
  }
  return to_matrix(*find(linear.name + ".weight"), pool);
}

Result<std::optional<PackedView>> Model::packed_view(const LinearInfo& linear, ThreadPool& pool) const {
  const auto found = packed_linears_.find(linear.name);
  if (found == packed_linears_.end()) return std::optional<PackedView>();
  SIGNUM_TAKE(PackedView packed, found->second->view(linear.name));
  SIGNUM_TRY(check_view(packed, pool));
  // Weights are sums and products of few scalars: they are finite where these are, short of F32's end.
  for (const TensorRule& rule : tensor_rules(packed.layout)) {
    if (rule.dtype != packed.layout.scale_type) continue;
    const auto bytes = packed.bytes(rule.role);
    std::vector<float> scalars(bytes.size() / dtype_bytes(rule.dtype));
    to_f32(rule.dtype, bytes.data(), scalars.size(), scalars.data());
    if (!all_finite(scalars.data(), scalars.size())) return not_finite(linear.name);
  }
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
    if (is_weight_dtype(tensor->dtype)) SIGNUM_TRY(convert(*tensor, nullptr, pool));
  return {};
}

Status Model::unchanged() const {
  for (const auto& [name, shard] : checkpoint_.shards) SIGNUM_TRY(shard->unchanged());
  return {};
}

}  // namespace signum
