// Token files and the windows that calibration takes from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace signum {

// A .u32 file: little-endian U32 ids, nothing else. Errors: read_failed; tokens_invalid (empty, not a
// multiple of 4 bytes, an id >= vocabulary).
Result<std::vector<uint32_t>> read_tokens(const std::string& path, size_t vocabulary);

enum class Sampling : uint8_t { Sequential, Random, Documents };
inline constexpr const char* kSamplingNames[] = {"sequential", "random", "documents"};

struct CalibrationPlan {
  Sampling sampling = Sampling::Sequential;
  size_t sequences = 0;
  size_t length = 0;  // tokens per sequence
  uint64_t seed = 0;  // Random and Documents
};

// Start of every window. Sequential: i * length; Documents, whose windows were drawn before they came into
// the token file, the same. Random: CPython's random.seed(seed), then randint(0, tokens
// - length - 1) one after another. Errors: job_invalid (a count is 0), context_too_long (length > context),
// calibration_too_short.
Result<std::vector<size_t>> window_starts(const CalibrationPlan& plan, size_t tokens, size_t context);

// The ids of all windows, one after another: [starts, length].
std::vector<uint32_t> take_windows(std::span<const uint32_t> tokens, std::span<const size_t> starts,
                                   size_t length);

}  // namespace signum
