#include "device/device.h"

namespace signum {

DeviceList list_devices(const DeviceOptions&) {
  DeviceList list;
  list.reason = "This worker was built without CUDA.";
  return list;
}

}  // namespace signum
