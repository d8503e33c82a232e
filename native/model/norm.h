// A norm of any kind (NormKind): its tensors, and rows through it.
#pragma once

#include <string>

#include "base/error.h"
#include "base/matrix.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

class Norm {
 public:
  // Does nothing.
  Norm() = default;
  // name without ".weight". Error: weights_not_finite.
  static Result<Norm> load(const Model& model, const std::string& name, ThreadPool& pool);

  bool exists() const { return gain_.size() > 0; }
  const Matrix& gain() const { return gain_; }
  const Matrix& bias() const { return bias_; }
  double epsilon() const { return epsilon_; }
  // x, out [n], n the width of the norm; out may be x.
  void apply(const float* x, float* out) const;
  // Every row. x, out [rows, n]; out may be x.
  void apply(ConstView x, View out, ThreadPool& pool) const;

 private:
  Matrix gain_;  // [1, n]
  Matrix bias_;  // [1, n]; empty: root mean square
  double epsilon_ = 0;
};

}  // namespace signum
