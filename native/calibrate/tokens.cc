#include "calibrate/tokens.h"

#include <algorithm>
#include <limits>

#include "base/mt19937.h"
#include "file/json_file.h"

namespace signum {

Result<std::vector<uint32_t>> read_tokens(const std::string& path, size_t vocabulary) {
  SIGNUM_TAKE(const std::string bytes, read_text_file(path, std::numeric_limits<size_t>::max()));
  const auto invalid = [&](const std::string& what) {
    return Error{"tokens_invalid", "The token file " + path + " " + what + ".", ""};
  };
  if (bytes.empty()) return invalid("is empty");
  if (bytes.size() % 4 != 0)
    return invalid("has " + std::to_string(bytes.size()) + " bytes, not a multiple of 4");
  std::vector<uint32_t> tokens(bytes.size() / 4);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto byte = [&](size_t k) { return uint32_t(uint8_t(bytes[4 * i + k])) << (8 * k); };
    tokens[i] = byte(0) | byte(1) | byte(2) | byte(3);
    if (tokens[i] >= vocabulary)
      return invalid("holds the id " + std::to_string(tokens[i]) + " at place " + std::to_string(i) +
                     ", but the vocabulary has " + std::to_string(vocabulary) + " entries");
  }
  return tokens;
}

Result<std::vector<size_t>> window_starts(const CalibrationPlan& plan, size_t tokens, size_t context) {
  if (plan.sequences == 0 || plan.length == 0)
    return Error{"job_invalid", "Calibration needs at least one sequence of at least one token.", ""};
  if (plan.length > context)
    return Error{"context_too_long",
                 "Calibration sequences of " + std::to_string(plan.length) +
                     " tokens are longer than the model's " + std::to_string(context) + " positions.",
                 ""};
  const bool random = plan.sampling == Sampling::Random;
  // Division, so that no product can overflow.
  const bool enough = random ? tokens > plan.length : tokens / plan.length >= plan.sequences;
  if (!enough) {
    const std::string needed = random ? std::to_string(plan.length + 1)
                                      : std::to_string(plan.sequences) + " x " + std::to_string(plan.length);
    return Error{
        "calibration_too_short",
        "The calibration text has " + std::to_string(tokens) + " tokens, but " + needed + " are needed.", ""};
  }
  PythonRandom source(plan.seed);
  std::vector<size_t> starts(plan.sequences);
  for (size_t i = 0; i < plan.sequences; ++i)
    starts[i] = random ? source.randint(0, tokens - plan.length - 1) : i * plan.length;
  return starts;
}

std::vector<uint32_t> take_windows(std::span<const uint32_t> tokens, std::span<const size_t> starts,
                                   size_t length) {
  std::vector<uint32_t> windows;
  windows.reserve(starts.size() * length);
  for (const size_t start : starts)
    windows.insert(windows.end(), tokens.begin() + start, tokens.begin() + start + length);
  return windows;
}

}  // namespace signum
