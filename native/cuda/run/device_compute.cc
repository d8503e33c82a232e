#include "cuda/run/device_compute.h"

#include <optional>
#include <utility>
#include <vector>

#include "cuda/kernels/decode.h"
#include "cuda/math/errors.h"
#include "cuda/math/factor.h"
#include "cuda/math/factor_kernels.h"
#include "cuda/methods/corrected.h"
#include "cuda/methods/quantize.h"
#include "cuda/model/activations.h"
#include "cuda/model/device_layer.h"
#include "cuda/model/hessians.h"
#include "run/device_memory.h"
#include "run/machine.h"
#include "run/preflight.h"

namespace signum::cuda {
namespace {

// What libraries may take for themselves on a real card while they work.
constexpr uint64_t kReserved = uint64_t(256) << 20;

DeviceMatrix copy_of(Device& device, const DeviceMatrix& matrix, const char* what) {
  DeviceMatrix copy(device, matrix.rows(), matrix.columns(), what);
  device.copy(copy.data(), matrix.data(), matrix.size() * sizeof(float));
  return copy;
}

std::vector<float> diagonal_of(Device& device, const DeviceMatrix& hessian) {
  const Array<float> diagonal(device, hessian.rows(), "a Hessian's diagonal");
  own::copy_diagonal(device, hessian.view(), diagonal.data());
  return diagonal.download();
}

class DeviceCompute : public LayerCompute {
 public:
  DeviceCompute(Card card, const Model& model, signum::ActivationPlace place, ActivationLimit limit,
                ThreadPool& pool)
      : card_(card),
        model_(model),
        place_(ActivationPlace(size_t(place))),
        limit_(std::move(limit)),
        pool_(pool),
        reader_(card, model) {}

  Status embed(std::span<const uint32_t> tokens, size_t length, bool paired) override {
    return guarded_status([&] {
      activations_.emplace(DeviceActivations::embedded(card_, model_, tokens, length, place_, limit_, pool_));
      if (paired)
        original_.emplace(DeviceActivations::embedded(card_, model_, tokens, length, place_, limit_, pool_));
    });
  }

  Status load(size_t layer) override {
    infos_ = model_.linears_of(layer);
    weights_.reset();
    original_weights_.reset();
    hessians_ = {};
    paired_ = {};
    factors_.clear();
    if (!activations_) return {};
    return guarded_status([&] {
      weights_.emplace(reader_.load(layer, pool_));
      if (original_) original_weights_.emplace(DeviceLayer::load(card_, model_, layer, pool_));
    });
  }
  void read_ahead(size_t layer) override {
    if (activations_) reader_.read_ahead(layer);
  }

  Status collect(const SequenceProgress& progress) override {
    return guarded_status([&] {
      BlockBuffers buffers;
      hessians_ = collect_hessians(card_, *weights_, *activations_, buffers, progress);
    });
  }
  Status collect_paired(LinearInput input, const SequenceProgress& progress) override {
    return guarded_status([&] {
      paired_ = {};
      BlockBuffers buffers;
      paired_ = cuda::collect_paired(card_, {*original_weights_, *original_, *weights_, *activations_}, input,
                                     buffers, progress);
      hessians_.of(input) = std::move(paired_.hessian);
    });
  }

  bool calibrated() const override { return activations_.has_value(); }
  Result<std::vector<float>> diagonal(LinearInput input) override {
    return guarded([&] { return cuda::diagonal_of(card_.device, hessians_.of(input)); });
  }
  bool has_factor(const FactorOptions& options) const override { return find(options) != nullptr; }
  Result<std::vector<std::string>> factor(LinearInput input, const FactorOptions& options) override {
    return guarded([&] {
      factors_.emplace_back(options,
                            std::make_unique<DeviceFactor>(factorize(card_, hessians_.of(input), options)));
      return factors_.back().second->notes;
    });
  }
  void leave(LinearInput input) override {
    factors_.clear();
    hessians_.of(input) = {};
    paired_ = {};
  }

  Result<ComputedLinear> quantize(const Recipe& recipe, const LinearInfo& info, size_t index) override {
    const DeviceFactor* factor = needs_hessian(recipe) ? find(factor_options(recipe)) : nullptr;
    return guarded([&] {
      const DeviceMatrix weight = take(info, index);
      DeviceMatrix target;
      if (original_ && factor && recipe.correction > 0)
        target = corrected(card_, weight, paired_.cross, paired_.residual, recipe.correction, *factor);
      const DeviceMatrix& wanted = target ? target : weight;
      PackedLinear packed =
          cuda::quantize(card_, recipe, copy_of(card_.device, wanted, "a linear's weights"), factor);
      DeviceMatrix decoded = decode(card_, view_of(packed));
      const DeviceMatrix* hessian = calibrated() ? &hessians_.of(info.input) : nullptr;
      LinearErrors errors = linear_errors(card_, wanted, decoded, hessian);
      if (target) errors.weight = linear_errors(card_, weight, decoded, nullptr).weight;
      if (weights_) weights_->replace(index, std::move(decoded));
      return ComputedLinear{std::move(packed), errors};
    });
  }
  Status replay(const PackedLinear& packed, size_t index) override {
    return guarded_status([&] { weights_->replace(index, decode(card_, view_of(packed))); });
  }

  Status advance(const SequenceProgress& progress) override {
    return pass_through(*weights_, *activations_, progress);
  }
  Status advance_original(const SequenceProgress& progress) override {
    return pass_through(*original_weights_, *original_, progress);
  }

 private:
  // The forward pass's buffers go each time: factors and block loops need the room.
  Status pass_through(const DeviceLayer& layer, DeviceActivations& activations,
                      const SequenceProgress& progress) {
    return guarded_status([&] {
      BlockBuffers buffers;
      cuda::advance(card_, layer, activations, buffers, progress);
    });
  }
  const DeviceFactor* find(const FactorOptions& options) const {
    for (const auto& [its, factor] : factors_)
      if (its == options) return factor.get();
    return nullptr;
  }
  // The original weight; without calibration from the file, one linear at a time.
  DeviceMatrix take(const LinearInfo& info, size_t index) {
    if (weights_) return weights_->take(card_, index);
    const Matrix weight = taken(model_.weight(info, pool_));
    return DeviceMatrix::of(card_.device, weight.view(), "a linear's weights");
  }

  Card card_;
  const Model& model_;
  const ActivationPlace place_;
  const ActivationLimit limit_;
  ThreadPool& pool_;
  LayerReader reader_;
  std::span<const LinearInfo> infos_;             // of the layer in hand
  std::optional<DeviceActivations> activations_;  // its inputs
  std::optional<DeviceActivations> original_;     // the same in the original model, for a correction
  std::optional<DeviceLayer> weights_, original_weights_;
  DeviceHessians hessians_;
  DevicePairedInput paired_;  // of the input in hand
  std::vector<std::pair<FactorOptions, std::unique_ptr<DeviceFactor>>> factors_;
};

std::string decimal(uint64_t bytes) { return std::to_string(bytes); }

}  // namespace

std::string DeviceBackend::fingerprint() const {
  const DeviceInfo& info = card_.device.info();
  return info.name + ", compute " + std::to_string(info.major) + "." + std::to_string(info.minor) + ", " +
         precision_ + ", " + (libraries_.empty() ? "own kernels" : libraries_);
}

Status DeviceBackend::check_recipe(const Model& model, const RunRecipe& recipe) {
  for (const Recipe* one : recipes_of(recipe, model.linears()))
    if (one)
      if (std::string why = unsupported(*one); !why.empty())
        return Error{"recipe_invalid", std::move(why), ""};
  return {};
}

MemoryPlan DeviceBackend::plan_for(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                                   uint64_t activation_limit) const {
  MemoryQuestion question = memory_question(model, recipe, plan);
  question.pinned_bytes = activation_limit;
  question.card_bytes = card_.device.free_bytes();
  question.reserved_bytes = card_.device.emulated() ? 0 : kReserved;
  return plan_memory(question);
}

Status DeviceBackend::check_memory(const Model& model, const RunRecipe& recipe, const CalibrationPlan* plan,
                                   uint64_t activation_limit) {
  const MemoryPlan planned = plan_for(model, recipe, plan, activation_limit);
  if (!planned.fits) {
    std::string parts;
    for (const MemoryPart& part : planned.parts)
      parts += (parts.empty() ? "" : ", ") + part.name + " " + decimal(part.bytes);
    return Error{"device_memory_short", planned.advice, parts + " bytes"};
  }
  return signum::check_memory(host_memory_needed(model, recipe, plan, planned.activations),
                              available_memory());
}

bool DeviceBackend::activations_in_file(const Model& model, const RunRecipe& recipe,
                                        const CalibrationPlan& plan, uint64_t activation_limit) {
  return plan_for(model, recipe, &plan, activation_limit).activations == signum::ActivationPlace::Disk;
}

Result<std::unique_ptr<LayerCompute>> DeviceBackend::compute(const Model& model, const RunRecipe& recipe,
                                                             const CalibrationPlan* plan,
                                                             const ActivationLimit& limit, ThreadPool& pool) {
  const auto place = plan_for(model, recipe, plan, limit.memory_bytes).activations;
  return std::unique_ptr<LayerCompute>(std::make_unique<DeviceCompute>(card_, model, place, limit, pool));
}

}  // namespace signum::cuda
