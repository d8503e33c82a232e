#include "run/cpu_compute.h"

#include "methods/correction.h"
#include "run/diagnostics.h"
#include "run/machine.h"
#include "run/preflight.h"

namespace signum {

Result<DecodedLinear> quantize_on_cpu(const Recipe& recipe, const Matrix& weight, const Matrix& target,
                                      const Factor* factor, const Matrix* hessian, ThreadPool& pool,
                                      std::optional<double> power) {
  const Matrix& wanted = target.size() > 0 ? target : weight;
  SIGNUM_TAKE(PackedLinear packed, quantize(recipe, wanted.clone(), factor, pool));
  SIGNUM_TAKE(Matrix decoded, decode(packed, pool));
  LinearErrors errors = linear_errors(wanted, decoded, hessian, pool, power);
  if (target.size() > 0) errors.weight = linear_errors(weight, decoded, nullptr, pool).weight;
  return DecodedLinear{{std::move(packed), errors}, std::move(decoded)};
}

Result<std::vector<float>> CpuLinears::diagonal(LinearInput input) {
  return diagonal_of(hessians_->of(input));
}

const Factor* CpuLinears::find(const FactorOptions& options) const {
  for (const auto& [its, factor] : factors_)
    if (its == options) return factor.get();
  return nullptr;
}

Result<std::vector<std::string>> CpuLinears::factor(LinearInput input, const FactorOptions& options) {
  SIGNUM_TAKE(Factor made, factorize(hessians_->of(input), options, pool_));
  std::vector<std::string> notes = made.notes;
  factors_.emplace_back(options, std::make_unique<Factor>(std::move(made)));
  return notes;
}

Result<ComputedLinear> CpuLinears::quantize(const Recipe& recipe, const LinearInfo& info, size_t index) {
  const Factor* factor = needs_hessian(recipe) ? find(factor_options(recipe)) : nullptr;
  SIGNUM_TAKE(const Matrix weight, weights_.take(index));
  Matrix target;
  if (paired_ && factor && recipe.correction > 0)
    target = corrected(weight, paired_->cross, paired_->residual, recipe.correction, *factor, pool_);
  SIGNUM_TAKE(DecodedLinear linear, quantize_on_cpu(recipe, weight, target, factor,
                                                    hessians_ ? &hessians_->of(info.input) : nullptr, pool_));
  weights_.give(index, std::move(linear.decoded));
  return std::move(linear.computed);
}

void CpuLinears::leave(LinearInput input) {
  factors_.clear();
  if (hessians_) hessians_->of(input) = Matrix();
}

namespace {

class CpuCompute : public LayerCompute {
 public:
  CpuCompute(const Model& model, const ActivationLimit& limit, ThreadPool& pool)
      : model_(model), limit_(limit), pool_(pool) {}

  Status embed(std::span<const uint32_t> tokens, size_t length, bool paired) override {
    SIGNUM_TAKE(activations_, Activations::embedded(model_, tokens, length, limit_, pool_));
    if (paired) {
      SIGNUM_TAKE(original_, Activations::embedded(model_, tokens, length, limit_, pool_));
    }
    return {};
  }

  Status load(size_t layer) override {
    infos_ = model_.linears_of(layer);
    weights_.reset();
    original_weights_.reset();
    hessians_ = {};
    LinearWeights source{.take = [this](size_t i) { return model_.weight(infos_[i], pool_); },
                         .give = [](size_t, Matrix) {}};
    if (activations_) {
      SIGNUM_TAKE(weights_, DecoderLayer::load(model_, layer, pool_));
      if (original_) {
        SIGNUM_TAKE(original_weights_, DecoderLayer::load(model_, layer, pool_));
      }
      source = {.take = [this](size_t i) -> Result<Matrix> { return weights_->take(i); },
                .give = [this](size_t i, Matrix decoded) { weights_->replace(i, std::move(decoded)); }};
    }
    linears_.emplace(std::move(source), activations_ ? &hessians_ : nullptr, pool_);
    return {};
  }

  Status collect(const SequenceProgress& progress) override {
    SIGNUM_TAKE(hessians_, collect_hessians(*weights_, *activations_, buffers_, pool_, progress));
    return {};
  }

  Status collect_paired(LinearInput input, const SequenceProgress& progress) override {
    SIGNUM_TAKE(paired_, signum::collect_paired({*original_weights_, *original_, *weights_, *activations_},
                                                input, buffers_, pool_, progress));
    hessians_.of(input) = std::move(paired_.hessian);
    linears_->correct_by(&paired_);
    return {};
  }

  Status replay(const PackedLinear& packed, size_t index) override {
    SIGNUM_TAKE(Matrix decoded, decode(packed, pool_));
    weights_->replace(index, std::move(decoded));
    return {};
  }

  Status advance(const SequenceProgress& progress) override {
    return signum::advance(*weights_, *activations_, buffers_, pool_, progress);
  }
  Status advance_original(const SequenceProgress& progress) override {
    return signum::advance(*original_weights_, *original_, buffers_, pool_, progress);
  }

  bool calibrated() const override { return activations_.has_value(); }
  Result<std::vector<float>> diagonal(LinearInput input) override { return linears_->diagonal(input); }
  bool has_factor(const FactorOptions& options) const override { return linears_->has_factor(options); }
  Result<std::vector<std::string>> factor(LinearInput input, const FactorOptions& options) override {
    return linears_->factor(input, options);
  }
  Result<ComputedLinear> quantize(const Recipe& recipe, const LinearInfo& info, size_t index) override {
    return linears_->quantize(recipe, info, index);
  }
  void leave(LinearInput input) override { linears_->leave(input); }

 private:
  const Model& model_;
  const ActivationLimit limit_;
  ThreadPool& pool_;
  std::span<const LinearInfo> infos_;       // of the layer in hand
  std::optional<Activations> activations_;  // its inputs
  std::optional<Activations> original_;     // the same in the original model, for a correction
  std::optional<DecoderLayer> weights_, original_weights_;
  LayerHessians hessians_;
  PairedInput paired_;
  std::optional<CpuLinears> linears_;
  ForwardBuffers buffers_;
};

class CpuBackend : public Backend {
 public:
  std::string fingerprint() const override { return "cpu"; }
  Status check_memory(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                      uint64_t activation_limit) override {
    return signum::check_memory(memory_needed(model, recipe, plan, activation_limit), available_memory());
  }
  bool activations_in_file(const Model& model, const RunRecipe&, const CalibrationPlan& plan,
                           uint64_t activation_limit) override {
    return activation_bytes(model, plan) > activation_limit;
  }
  bool leaves_host_idle() const override { return false; }
  Result<std::unique_ptr<LayerCompute>> compute(const Model& model, const RunRecipe&, const CalibrationPlan*,
                                                const ActivationLimit& limit, ThreadPool& pool) override {
    return std::unique_ptr<LayerCompute>(std::make_unique<CpuCompute>(model, limit, pool));
  }
};

}  // namespace

Backend& cpu_backend() {
  static CpuBackend backend;
  return backend;
}

}  // namespace signum
