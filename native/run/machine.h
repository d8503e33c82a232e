// What this machine has left, and what this process takes. Bytes.
#pragma once

#include <cstdint>

namespace signum {

uint64_t total_memory();
// What can still be allocated without swapping: the machine's, or less where a control group limits this
// process.
uint64_t available_memory();
uint64_t resident_bytes();
uint64_t peak_resident_bytes();

}  // namespace signum
