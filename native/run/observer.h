// What a command tells the outside while it works, and what it is asked. worker/ makes JSON lines of it,
// tests record it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace signum {

enum class Phase : uint8_t { Hash, Calibrate, Factor, Quantize, Propagate, Write, Evaluate, Fit, Verify };
inline constexpr const char* kPhaseNames[] = {"hash",  "calibrate", "factor", "quantize", "propagate",
                                              "write", "evaluate",  "fit",    "verify"};

struct RunPlan {
  size_t layers = 0;
  size_t linears = 0;
  size_t weights = 0;
  size_t resumed_layers = 0;
};

struct ProgressReport {
  Phase phase = Phase::Hash;
  uint64_t done = 0;
  uint64_t total = 0;
  const char* unit = "";
  std::optional<double> eta;  // seconds to the end of the command
};

// One linear. linear_bits and bytes count a shared order under the linear that stores it.
struct LinearReport {
  std::string name;
  std::string method;  // "keep" where it stays as it is stored
  size_t layer = 0;
  std::string kind;
  size_t rows = 0;
  size_t columns = 0;
  double nominal_bits = 0;
  double linear_bits = 0;
  size_t bytes = 0;
  double weight_error = 0;                // relative
  std::optional<double> output_error;     // relative; absent without calibration
  std::optional<size_t> salient_columns;  // of the methods that have them
  // fdb: share of zeros in its first and second plane, 0 to 1.
  std::optional<double> plane1_sparsity, plane2_sparsity;
  double seconds = 0;
};

inline constexpr const char* kKeep = "keep";

// What one candidate recipe would cost and lose on one linear of the original model.
struct Measurement {
  std::string linear;
  size_t layer = 0;
  size_t candidate = 0;  // place among the job's candidates
  size_t rows = 0;
  size_t columns = 0;
  size_t bytes = 0;        // of its tensors, without an order
  size_t order_bytes = 0;  // of the order, which linears of one input have in common
  double nominal_bits = 0;
  double weight_error = 0;  // relative
  double output_error = 0;  // relative
  double output_power = 0;  // mean squared norm of the linear's outputs, per token
  std::optional<size_t> salient_columns;
  double seconds = 0;
};

// How much the model's predictions change when one linear alone is quantized by the probe.
struct Sensitivity {
  std::string linear;
  double output_error = 0;               // relative, of the probe
  double kld = 0;                        // mean over the tokens, nats
  std::optional<double> standard_error;  // absent for a single token
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void plan(const RunPlan&) {}
  virtual void progress(const ProgressReport&) {}
  virtual void linear(const LinearReport&) {}
  virtual void measured(const Measurement&) {}
  virtual void sensitivity(const Sensitivity&) {}
  virtual void saved(size_t /*layer*/, const std::string& /*file*/, uint64_t /*bytes*/) {}
  virtual void warning(const std::string& /*code*/, const std::string& /*message*/) {}

  // Asked between layers: end resumable.
  virtual bool stop_requested() { return false; }
  // Asked wherever work can be dropped; the command then returns the error `cancelled`.
  virtual bool cancelled() { return false; }
};

}  // namespace signum
