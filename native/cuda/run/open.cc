#include "device/open.h"

namespace signum {

Result<std::unique_ptr<OpenedDevice>> open_device(const DeviceChoice& choice) {
  return Error{"device_missing", "This worker lists cards and does not compute on one yet: take the CPU.",
               choice.device};
}

}  // namespace signum
