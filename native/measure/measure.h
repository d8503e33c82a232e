// The command `measure`: what each of several recipes would cost and lose on every linear of a model, and how
// much each linear matters, for whoever divides bits among them (docs/METHODS.md, mixed).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "run/observer.h"
#include "run/quantize_run.h"

namespace signum {

class ThreadPool;

inline constexpr size_t kMostCandidates = 64;

struct MeasureJob {
  std::string model;
  std::vector<std::string> candidates;  // JSON texts {"method", "parameters"}; a correction counts as 0
  Calibration calibration;
  size_t probe = 0;               // the candidate that linears are probed with
  size_t probe_sequences = 0;     // of the calibration's first ones; 0: none is probed
  std::string folder;             // for activations that are not kept in memory
  uint64_t activation_limit = 0;  // bytes
};

struct MeasureOutcome {
  size_t tokens = 0;                                         // of the calibration
  size_t probe_tokens = 0;                                   // at which predictions were compared
  std::vector<std::pair<std::string, double>> seconds = {};  // by phase
  uint64_t peak_resident_bytes = 0;
};

// One pass over the decoder layers with their original weights. All candidates of a linear are told as
// measured() when its layer is done, sensitivity() of all linears comes at the end; neither depends on the
// pool's size. Errors: recipe_invalid, already_quantized, job_invalid (more probe sequences than there are),
// memory_short, those of calibration and of the methods; cancelled.
Result<MeasureOutcome> run_measure(const MeasureJob& job, Observer& observer, ThreadPool& pool);

}  // namespace signum
