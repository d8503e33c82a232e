// Cards in events and results (docs/PROTOCOL.md).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "device/device.h"
#include "device/memory_plan.h"

namespace signum {

// What `started` says of the card that a job computes on.
nlohmann::ordered_json device_json(const DeviceInfo& info);
// The result of `devices`, without the CPU.
nlohmann::ordered_json device_list_json(const DeviceList& list);
// The result of `device-plan`.
nlohmann::ordered_json memory_plan_json(const MemoryPlan& plan, uint64_t host_bytes);

}  // namespace signum
