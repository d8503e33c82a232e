// What cards have free, without taking any of it.
#pragma once

#include <vector>

#include "device/device.h"

namespace signum::cuda {

// Fills in free_bytes. The driver's management library is asked, which needs no context on a card; without it
// a context is made on each, and the thread's current card stays what it was.
void ask_free_memory(std::vector<DeviceInfo>& cards);

}  // namespace signum::cuda
