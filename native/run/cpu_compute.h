// A run's sums on the CPU: calibrate/, math/ and methods/ as they are.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "calibrate/paired.h"
#include "run/layer_compute.h"

namespace signum {

// Where a linear's weight comes from, by place, and who gets what its packed form decodes to.
struct LinearWeights {
  std::function<Result<Matrix>(size_t index)> take;
  std::function<void(size_t index, Matrix decoded)> give;
};

class CpuLinears : public LinearCompute {
 public:
  // hessians: null without calibration; each is released by leave().
  CpuLinears(LinearWeights weights, LayerHessians* hessians, ThreadPool& pool)
      : weights_(std::move(weights)), hessians_(hessians), pool_(pool) {}

  bool calibrated() const override { return hessians_ != nullptr; }
  Result<std::vector<float>> diagonal(LinearInput input) override;
  bool has_factor(const FactorOptions& options) const override { return find(options) != nullptr; }
  Result<std::vector<std::string>> factor(LinearInput input, const FactorOptions& options) override;
  Result<ComputedLinear> quantize(const Recipe& recipe, const LinearInfo& info, size_t index) override;
  void leave(LinearInput input) override;
  // What linears are to be fitted to in place of their weights, with the paired sums of their input; null:
  // the weights.
  void correct_by(const PairedInput* paired) { paired_ = paired; }

 private:
  const Factor* find(const FactorOptions& options) const;

  LinearWeights weights_;
  LayerHessians* hessians_;
  ThreadPool& pool_;
  const PairedInput* paired_ = nullptr;
  std::vector<std::pair<FactorOptions, std::unique_ptr<Factor>>> factors_;
};

// One linear quantized, decoded and measured. target: what is fitted, empty: the weight itself. power: as
// linear_errors() takes it, of the target.
struct DecodedLinear {
  ComputedLinear computed;
  Matrix decoded;
};
Result<DecodedLinear> quantize_on_cpu(const Recipe& recipe, const Matrix& weight, const Matrix& target,
                                      const Factor* factor, const Matrix* hessian, ThreadPool& pool,
                                      std::optional<double> power = {});

Backend& cpu_backend();

}  // namespace signum
