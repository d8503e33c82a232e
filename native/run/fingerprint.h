// Everything that a run's bytes depend on. A run goes on only under the fingerprint that it began with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "calibrate/tokens.h"
#include "run/progress.h"

namespace signum {

// Values are JSON text in one fixed form (keys sorted, no spaces), as they stand in the shards' metadata.
struct Fingerprint {
  std::string source;       // {file name: sha256}
  std::string recipe;       // {"method":..,"parameters":..}
  std::string calibration;  // {"sha256":..,"tokens":..,...} or null
  std::string program;      // "signum 0.1.0"
  std::string blas;         // kernel set: other kernels round otherwise
  std::string simd;         // dispatch target of our own loops
  std::string device;       // Backend::fingerprint()
};

const char* program_name();  // "signum 0.1.0"

// Program, BLAS and SIMD of this process, computing on the CPU; recipe brought to the fixed form. Error
// recipe_invalid when it is not JSON.
Result<Fingerprint> fingerprint_of_program(const std::string& recipe_json);
// Hashes folder/name of every name; bytes are reported as Phase::Hash.
Result<std::string> source_json(const std::string& folder, const std::vector<std::string>& names,
                                Progress& progress);
std::string calibration_json(const std::vector<uint32_t>& tokens, const CalibrationPlan& plan);

// Names what differs ("recipe: damping; source: model.safetensors"); empty when nothing does.
std::string difference(const Fingerprint& before, const Fingerprint& now);

}  // namespace signum
