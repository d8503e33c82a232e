// Accelerators as the rest of the program sees them. Behind this header stands one of native/cuda,
// native/emulated (the same kernels run on the CPU, for tests) and native/no_cuda.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace signum {

struct DeviceInfo {
  std::string id;    // "cuda:0"
  std::string name;  // "NVIDIA H100 80GB HBM3"
  std::string uuid;  // "GPU-..."
  uint64_t memory_bytes = 0;
  uint64_t free_bytes = 0;   // at the time of asking
  int major = 0, minor = 0;  // compute capability
};

// A library that is looked for at run time.
struct DeviceLibrary {
  std::string name;     // "cublas"
  std::string path;     // where it was found; empty: not found
  std::string version;  // "13.1.0"; empty: not found
};

struct DeviceList {
  std::vector<DeviceInfo> devices;
  std::string driver;  // version of CUDA that the driver knows, "13.0"; empty without a driver
  std::string built;   // version of CUDA that this program was built with; empty: without CUDA
  std::string reason;  // why there is no device, one sentence; empty where there is one
  std::vector<DeviceLibrary> libraries;
};

// Where libraries are looked for before the system's folders; empty: only there.
struct DeviceOptions {
  std::string libraries;
};

// Never fails: what is missing is said in `reason`.
DeviceList list_devices(const DeviceOptions& options);

}  // namespace signum
