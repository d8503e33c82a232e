// The command `quantize`: a model folder to a packed folder, one decoder layer at a time (docs/METHODS.md),
// resumable after each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "calibrate/tokens.h"
#include "run/observer.h"
#include "run/shard.h"

namespace signum {

class Backend;
class ThreadPool;

struct Calibration {
  std::string tokens;  // .u32 file
  CalibrationPlan plan;
};

struct QuantizeJob {
  std::string model;
  std::string run;
  std::string recipe;  // JSON text
  std::optional<Calibration> calibration;
  bool resume = false;
  bool resume_elsewhere = false;  // also on another device than before: what is left is that one's
  uint64_t activation_limit = 0;  // bytes
};

struct QuantizeOutcome {
  bool stopped = false;  // after a layer, because that was asked for; what follows is then not filled
  size_t finished_layers = 0;
  size_t layers = 0;

  std::string packed = {};  // folder
  PackedNumbers numbers = {};
  size_t parameters = 0;
  std::vector<std::pair<std::string, double>> seconds = {};  // by phase, of this process
  uint64_t peak_resident_bytes = 0;
};

// The bytes in the packed folder do not depend on the pool's size, on stops, or on resumes, but on those that
// go on elsewhere. backend: where it is computed.
Result<QuantizeOutcome> run_quantize(const QuantizeJob& job, Observer& observer, ThreadPool& pool,
                                     Backend& backend);
Result<QuantizeOutcome> run_quantize(const QuantizeJob& job, Observer& observer, ThreadPool& pool);  // CPU

}  // namespace signum
