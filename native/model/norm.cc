#include "model/norm.h"

#include "model/row_operations.h"
#include "model/rows.h"

namespace signum {

Result<Norm> Norm::load(const Model& model, const std::string& name, ThreadPool& pool) {
  Norm norm;
  norm.epsilon_ = model.config().norm_epsilon;
  SIGNUM_TAKE(norm.gain_, Model::to_matrix(*model.find(name + ".weight"), pool));
  const NormKind kind = model.config().architecture->norm;
  if (kind == NormKind::RmsPlusOne)
    for (size_t i = 0; i < norm.gain_.size(); ++i) norm.gain_.data()[i] += 1.0f;
  if (kind == NormKind::Layer) {
    SIGNUM_TAKE(norm.bias_, Model::to_matrix(*model.find(name + ".bias"), pool));
  }
  return norm;
}

void Norm::apply(const float* x, float* out) const {
  if (bias_.size() == 0)
    rms_norm(x, gain_.data(), epsilon_, out, gain_.size());
  else
    layer_norm(x, gain_.data(), bias_.data(), epsilon_, out, gain_.size());
}

void Norm::apply(ConstView x, View out, ThreadPool& pool) const {
  for_rows(x.rows, pool, [&](size_t i) { apply(x.row(i), out.row(i)); });
}

}  // namespace signum
