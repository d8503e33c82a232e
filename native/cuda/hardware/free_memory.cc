#include "cuda/hardware/free_memory.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <string>
#include <type_traits>

namespace signum::cuda {
namespace {

// NVML as far as it is used, as its documentation gives it. It comes with the driver.
class Management {
 public:
  Management() {
    library_ = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL);
    const auto find = [&](auto*& function, const char* name) {
      function = library_
                     ? reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library_, name))
                     : nullptr;
      return function != nullptr;
    };
    ready_ = find(begin_, "nvmlInit_v2") && find(end_, "nvmlShutdown") &&
             find(by_uuid_, "nvmlDeviceGetHandleByUUID") && find(memory_, "nvmlDeviceGetMemoryInfo") &&
             begin_() == 0;
  }
  ~Management() {
    if (ready_) end_();
    if (library_) dlclose(library_);
  }
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;

  bool ask(DeviceInfo& card) const {
    Handle handle = nullptr;
    Memory memory{};
    if (!ready_ || by_uuid_(card.uuid.c_str(), &handle) != 0 || memory_(handle, &memory) != 0) return false;
    card.free_bytes = memory.free;
    return true;
  }

 private:
  using Handle = struct HandleOfCard*;
  struct Memory {
    unsigned long long total, free, used;
  };
  void* library_ = nullptr;
  int (*begin_)() = nullptr;
  int (*end_)() = nullptr;
  int (*by_uuid_)(const char*, Handle*) = nullptr;
  int (*memory_)(Handle, Memory*) = nullptr;
  bool ready_ = false;
};

}  // namespace

void ask_free_memory(std::vector<DeviceInfo>& cards) {
  const Management management;
  for (DeviceInfo& card : cards) {
    if (management.ask(card)) continue;
    int before = 0;
    size_t free = 0, total = 0;
    const bool had = cudaGetDevice(&before) == cudaSuccess;
    if (cudaSetDevice(std::stoi(card.id.substr(5))) == cudaSuccess &&
        cudaMemGetInfo(&free, &total) == cudaSuccess)
      card.free_bytes = free;
    if (had) cudaSetDevice(before);
    cudaGetLastError();
  }
}

}  // namespace signum::cuda
