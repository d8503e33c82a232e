#include "model/mapped_matrix.h"

#include "kernels/packed_product.h"
#include "math/finite.h"

namespace signum {

Error weights_not_finite(const std::string& name) {
  return {"weights_not_finite", "The tensor " + name + " holds NaN or infinity.", ""};
}

Result<MappedMatrix> MappedMatrix::of(const TensorView& tensor, ThreadPool& pool) {
  if (!all_finite(tensor.dtype, tensor.bytes, pool)) return weights_not_finite(tensor.name);
  return MappedMatrix(StoredMatrix{tensor.dtype, tensor.bytes.data(), tensor.shape[0], tensor.shape[1]});
}

Result<MappedMatrix> MappedMatrix::of(const std::string& name, PackedView packed, ThreadPool& pool) {
  SIGNUM_TRY(check_view(packed, pool));
  // Weights are sums and products of few scalars: they are finite where these are, short of F32's end.
  for (const TensorRule& rule : tensor_rules(packed.layout))
    if (rule.dtype == packed.layout.scale_type && !all_finite(rule.dtype, packed.bytes(rule.role), pool))
      return weights_not_finite(name);
  return MappedMatrix(std::move(packed));
}

size_t MappedMatrix::rows() const {
  const auto* stored = std::get_if<StoredMatrix>(&where_);
  return stored ? stored->rows : std::get<PackedView>(where_).layout.rows;
}

void MappedMatrix::multiply(ConstView x, float beta, View out, ThreadPool& pool) const {
  std::visit([&](const auto& matrix) { signum::multiply(matrix, x, beta, out, pool); }, where_);
}

void MappedMatrix::multiply(std::span<const Part> parts, ConstView x, float beta, ThreadPool& pool) {
  std::vector<PackedPart> packed;
  for (const Part& part : parts) {
    if (const auto* view = std::get_if<PackedView>(&part.matrix->where_))
      packed.push_back({view, part.out});
    else
      part.matrix->multiply(x, beta, part.out, pool);
  }
  if (!packed.empty()) signum::multiply(packed, x, beta, pool);
}

}  // namespace signum
