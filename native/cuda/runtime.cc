#include "cuda/runtime.h"

#include <cstdio>

namespace signum::cuda {
namespace {

std::string gigabytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GB", double(bytes) / 1e9);
  return text;
}

}  // namespace

Fault Device::memory_short(const char* what, size_t bytes) const {
  return {
      {"device_memory_short",
       std::string("The card has no room for ") + what + ": " + gigabytes(bytes) + " more are needed and " +
           gigabytes(free_bytes()) + " of " + gigabytes(limit_) +
           " are left. Close what else uses the card, take shorter or fewer calibration sequences, or run "
           "on the CPU; what is finished is kept.",
       std::to_string(bytes) + " bytes, " + std::to_string(used_) + " in use"}};
}

}  // namespace signum::cuda
