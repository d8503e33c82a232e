// The card behind native/device/open.h.
#include "device/open.h"

#include <algorithm>

#include "cuda/card.h"
#include "cuda/model/evaluate.h"
#include "cuda/model/generation.h"
#include "cuda/run/device_compute.h"

namespace signum {
namespace {

cuda::Precision precision_of(const std::string& name) {
  return cuda::Precision(std::ranges::find(kPrecisionNames, name) - std::begin(kPrecisionNames));
}

class OpenedCard : public OpenedDevice {
 public:
  OpenedCard(std::unique_ptr<cuda::Device> device, const DeviceChoice& choice)
      : device_(std::move(device)),
        blas_(*device_, {choice.libraries, precision_of(choice.precision)}),
        backend_({*device_, blas_}, choice.precision, blas_.library_name()) {}

  const DeviceInfo& info() const override { return device_->info(); }
  uint64_t used_bytes() const override { return device_->used_bytes(); }
  uint64_t peak_bytes() const override { return device_->peak_bytes(); }
  std::vector<std::string> notes() const override {
    if (!blas_.note().empty()) return {blas_.note()};
    if (blas_.has_library()) return {};
    return {"There is no cuBLAS that can be used here: the worker's own kernels make the products, slower."};
  }
  Backend& backend() override { return backend_; }
  Result<Evaluation> evaluate(const Model& model, const Model* reference, std::span<const uint32_t> tokens,
                              const EvaluationOptions& options, ThreadPool& pool) override {
    return cuda::evaluate({*device_, blas_}, model, reference, tokens, options, pool);
  }
  Result<std::unique_ptr<TokenReader>> reader(std::shared_ptr<const Model> model, size_t context,
                                              ThreadPool& pool) override {
    return cuda::guarded([&] {
      return std::unique_ptr<TokenReader>(
          std::make_unique<cuda::CardReader>(cuda::Card{*device_, blas_}, std::move(model), context, pool));
    });
  }
  Result<Matrix> logits(const Model& model, std::span<const uint32_t> tokens, ThreadPool& pool) override {
    return cuda::logits({*device_, blas_}, model, tokens, pool);
  }

 private:
  std::unique_ptr<cuda::Device> device_;
  cuda::Blas blas_;
  cuda::DeviceBackend backend_;
};

}  // namespace

Result<std::unique_ptr<OpenedDevice>> open_device(const DeviceChoice& choice) {
  SIGNUM_TAKE(auto device, cuda::Device::open(choice.device, {choice.memory_limit, choice.libraries}));
  return cuda::guarded(
      [&] { return std::unique_ptr<OpenedDevice>(std::make_unique<OpenedCard>(std::move(device), choice)); });
}

}  // namespace signum
