// A card that a job computes on. Behind open_device() stands native/cuda, native/emulated or native/no_cuda,
// so that nobody above knows CUDA.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "device/device.h"

namespace signum {

class Backend;
class Matrix;
class Model;
class ThreadPool;
class TokenReader;
struct Evaluation;
struct EvaluationOptions;

inline constexpr const char* kPrecisionNames[] = {"f32", "bf16x3", "tf32"};

// What a job asks for.
struct DeviceChoice {
  std::string device = "cpu";  // or DeviceInfo::id, or "cuda": the first card
  std::string libraries;       // DeviceOptions
  uint64_t memory_limit = 0;   // bytes that may be in use at once; 0: what the card has
  std::string precision = "f32";

  bool on_cpu() const { return device == "cpu"; }
};

class OpenedDevice {
 public:
  virtual ~OpenedDevice() = default;
  virtual const DeviceInfo& info() const = 0;
  // From any thread.
  virtual uint64_t used_bytes() const = 0;
  virtual uint64_t peak_bytes() const = 0;
  // What is otherwise than was asked for, or slower than it could be: sentences.
  virtual std::vector<std::string> notes() const = 0;

  // For run_quantize(): as long as the device is open.
  virtual Backend& backend() = 0;
  // As evaluate() and logits() in evaluate/, with the model's layers on the card.
  virtual Result<Evaluation> evaluate(const Model& model, const Model* reference,
                                      std::span<const uint32_t> tokens, const EvaluationOptions& options,
                                      ThreadPool& pool) = 0;
  // For a GenerationSession. context: tokens that its cache holds. Errors: those of CachedModel::load, and
  // device_memory_short.
  virtual Result<std::unique_ptr<TokenReader>> reader(std::shared_ptr<const Model> model, size_t context,
                                                      ThreadPool& pool) = 0;
  virtual Result<Matrix> logits(const Model& model, std::span<const uint32_t> tokens, ThreadPool& pool) = 0;
};

// choice.device is not "cpu". Error device_missing with the reason.
Result<std::unique_ptr<OpenedDevice>> open_device(const DeviceChoice& choice);

}  // namespace signum
