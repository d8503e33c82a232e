// The real end of cuda/runtime.h, on CUDA's runtime library (linked statically; it needs no driver to start).
#include "cuda/runtime.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "cuda/hardware/free_memory.h"

namespace signum {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// One sentence for what keeps us from the cards.
std::string reason_of(cudaError_t error, int driver) {
  switch (error) {
    case cudaErrorInsufficientDriver:
      if (driver == 0) return "There is no NVIDIA driver on this machine.";
      return "The NVIDIA driver knows CUDA " + version_text(driver) + ", and this worker was built with " +
             version_text(CUDART_VERSION) + ": install a newer driver, or build the worker with CUDA " +
             std::to_string(driver / 1000) + ".";
    case cudaErrorNoDevice:
      return "The NVIDIA driver is there, but no card that it can use.";
    default:
      return std::string("CUDA does not start: ") + cudaGetErrorString(error) + ".";
  }
}

int index_of(const DeviceInfo& info) { return std::stoi(info.id.substr(5)); }

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    char byte[4];
    std::snprintf(byte, sizeof byte, "%02x", unsigned(static_cast<unsigned char>(uuid.bytes[i])));
    text += byte;
    if (i == 3 || i == 5 || i == 7 || i == 9) text += '-';
  }
  return text;
}

// The cards, or why there are none. Makes no context on any of them: a context takes hundreds of megabytes
// and stays as long as the process.
void find_cards(DeviceList& list) {
  int driver = 0, count = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0) list.driver = version_text(driver);
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
    cudaGetLastError();
    list.reason = reason_of(error, driver);
    return;
  }
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, index) != cudaSuccess || properties.major < 8) {
      cudaGetLastError();
      continue;
    }
    DeviceInfo info;
    info.id = "cuda:" + std::to_string(index);
    info.name = properties.name;
    info.uuid = uuid_text(properties.uuid);
    info.memory_bytes = info.free_bytes = properties.totalGlobalMem;
    info.major = properties.major;
    info.minor = properties.minor;
    list.devices.push_back(info);
  }
  if (list.devices.empty())
    list.reason = count == 0 ? "The NVIDIA driver is there, but no card."
                             : "The cards of this machine are older than compute capability 8.0.";
}

}  // namespace

namespace cuda {

// hardware/libraries.cc
std::vector<DeviceLibrary> find_libraries(const std::string& folder);

namespace {

std::string sentence_of(cudaError_t error, const char* doing) {
  switch (error) {
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorInvalidKernelImage:
      return "This worker was not compiled for this card, and its driver cannot translate what is there: "
             "build it with SIGNUM_CUDA_ARCHITECTURES set to the card's compute capability, or take a later "
             "driver.";
    case cudaErrorDevicesUnavailable:
      return "The card is busy: another program holds it for itself alone.";
    default:
      return std::string("The card failed while ") + doing + ": " + cudaGetErrorString(error) + ".";
  }
}

void must(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  throw Fault{{"device_failed", sentence_of(error, doing), cudaGetErrorName(error)}};
}

cudaStream_t handle_of(const Stream& stream) { return static_cast<cudaStream_t>(stream.handle()); }

}  // namespace

Stream::Stream(Device& device) : device_(device) {
  cudaStream_t stream;
  must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  handle_ = stream;
}
Stream::~Stream() { cudaStreamDestroy(handle_of(*this)); }
void Stream::wait() { must(cudaStreamSynchronize(handle_of(*this)), "working"); }
void Stream::wait_for(Stream& other) {
  cudaEvent_t event;
  must(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  const cudaError_t recorded = cudaEventRecord(event, handle_of(other));
  const cudaError_t waits =
      recorded == cudaSuccess ? cudaStreamWaitEvent(handle_of(*this), event, 0) : recorded;
  cudaEventDestroy(event);
  must(waits, "ordering two streams");
}

Device::Device() = default;
Device::~Device() {
  if (stream_) cudaStreamSynchronize(handle_of(*stream_));
}
bool Device::emulated() const { return false; }

Result<std::unique_ptr<Device>> Device::open(const std::string& id, const OpenOptions& options) {
  DeviceList list;
  find_cards(list);
  const auto found = std::ranges::find_if(
      list.devices, [&](const DeviceInfo& info) { return id == "cuda" || info.id == id; });
  if (found == list.devices.end())
    return Error{"device_missing",
                 list.reason.empty() ? "There is no device " + id + " on this machine."
                                     : "There is no device " + id + ": " + list.reason,
                 ""};
  return guarded([&] {
    const int index = index_of(*found);
    must(cudaSetDevice(index), "being opened");
    std::unique_ptr<Device> device(new Device);
    device->info_ = *found;
    size_t free = 0, total = 0;
    must(cudaMemGetInfo(&free, &total), "being opened");
    device->info_.free_bytes = free;
    int count = 1;
    must(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, index), "being opened");
    device->multiprocessors_ = size_t(count);
    device->limit_ =
        options.memory_limit ? std::min(options.memory_limit, found->memory_bytes) : found->memory_bytes;
    // Of this process only: released memory stays with the pool.
    cudaMemPool_t pool;
    must(cudaDeviceGetDefaultMemPool(&pool, index), "being opened");
    uint64_t keep = UINT64_MAX;
    must(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), "being opened");
    device->stream_ = std::make_unique<Stream>(*device);
    device->copies_ = std::make_unique<Stream>(*device);
    return device;
  });
}

uint64_t Device::free_bytes() const {
  size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) {
    cudaGetLastError();
    return limit_ - used_;
  }
  // What the pool keeps is ours as well.
  cudaMemPool_t pool;
  uint64_t kept = 0;
  if (cudaDeviceGetDefaultMemPool(&pool, index_of(info_)) == cudaSuccess)
    cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &kept);
  const uint64_t used = used_;
  const uint64_t on_card = uint64_t(free) + (kept > used ? kept - used : 0);
  return std::min(limit_ - std::min(limit_, used), on_card);
}

void* Device::allocate(size_t bytes, const char* what) {
  if (used_ + bytes > limit_) throw memory_short(what, bytes);
  void* memory = nullptr;
  const auto ask = [&] { return cudaMallocAsync(&memory, std::max<size_t>(bytes, 1), handle_of(stream())); };
  cudaError_t error = ask();
  if (error == cudaErrorMemoryAllocation) {
    // What the pool keeps may lie in pieces, none of them large enough: it goes back to the card first.
    cudaGetLastError();
    cudaMemPool_t pool;
    stream().wait();
    must(cudaDeviceGetDefaultMemPool(&pool, index_of(info_)), "making room");
    must(cudaMemPoolTrimTo(pool, 0), "making room");
    error = ask();
  }
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    throw memory_short(what, bytes);
  }
  must(error, "making room");
  used_ += bytes;
  peak_ = std::max(peak_.load(), used_.load());
  return memory;
}
void Device::release(void* memory, size_t bytes) noexcept {
  cudaFreeAsync(memory, handle_of(*stream_));
  used_ -= bytes;
}

void Device::upload(void* to, const void* from, size_t bytes) {
  upload(stream(), to, from, bytes);
  // Up to this size CUDA has taken a copy when it returns, unless the memory is page-locked.
  constexpr size_t kTakenAtOnce = size_t(64) << 10;
  cudaPointerAttributes attributes;
  const bool ordinary = cudaPointerGetAttributes(&attributes, from) == cudaSuccess &&
                        attributes.type == cudaMemoryTypeUnregistered;
  if (bytes > kTakenAtOnce || !ordinary) stream().wait();
}
void Device::upload(Stream& stream, void* to, const void* from, size_t bytes) {
  must(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, handle_of(stream)), "copying to it");
}
void Device::download(void* to, const void* from, size_t bytes) {
  download_later(stream(), to, from, bytes);
  stream().wait();
}
void Device::download_later(Stream& stream, void* to, const void* from, size_t bytes) {
  must(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, handle_of(stream)), "copying from it");
}
void Device::copy(void* to, const void* from, size_t bytes) {
  must(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, handle_of(stream())), "copying");
}
void Device::fill(void* to, int byte, size_t bytes) {
  must(cudaMemsetAsync(to, byte, bytes, handle_of(stream())), "filling");
}

void* Device::allocate_pinned(size_t bytes) {
  void* memory = nullptr;
  if (cudaMallocHost(&memory, std::max<size_t>(bytes, 1)) != cudaSuccess) {
    cudaGetLastError();
    throw Fault{{"memory_short", "The machine has no memory left for page-locked buffers.",
                 std::to_string(bytes) + " bytes"}};
  }
  return memory;
}
void Device::release_pinned(void* memory) noexcept { cudaFreeHost(memory); }
bool Device::pin(void* memory, size_t bytes) {
  if (cudaHostRegister(memory, bytes, cudaHostRegisterDefault) == cudaSuccess) return true;
  cudaGetLastError();
  return false;
}
void Device::unpin(void* memory) noexcept { cudaHostUnregister(memory); }

void launching::start(Stream& stream, const void* kernel, const Grid& grid, void** arguments) {
  // More than 48 KiB have to be asked for, and what a kernel declares itself counts among them.
  if (grid.shared > size_t(32) << 10)
    must(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(grid.shared)),
         "starting a kernel");
  must(cudaLaunchKernel(kernel, grid.blocks, grid.threads, arguments, grid.shared,
                        static_cast<cudaStream_t>(stream.handle())),
       "starting a kernel");
}

struct Graph::Recorded {
  Device& device;
  cudaGraphExec_t graph = nullptr;
};
Graph::Graph(Device& device, const std::function<void()>& record)
    : recorded_(std::make_unique<Recorded>(device)) {
  const cudaStream_t stream = handle_of(device.stream());
  cudaGraph_t graph = nullptr;
  // Relaxed: a kernel that is met for the first time is loaded here, which older drivers count among what is
  // else forbidden while something is recorded.
  must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "recording");
  try {
    record();
  } catch (...) {
    cudaStreamEndCapture(stream, &graph);
    if (graph) cudaGraphDestroy(graph);
    throw;
  }
  must(cudaStreamEndCapture(stream, &graph), "recording");
  const cudaError_t made = cudaGraphInstantiate(&recorded_->graph, graph, 0);
  cudaGraphDestroy(graph);
  must(made, "recording");
}
Graph::~Graph() {
  cudaStreamSynchronize(handle_of(recorded_->device.stream()));  // it may be playing
  if (recorded_->graph) cudaGraphExecDestroy(recorded_->graph);
}
void Graph::play() {
  must(cudaGraphLaunch(recorded_->graph, handle_of(recorded_->device.stream())), "playing what was recorded");
}

}  // namespace cuda

DeviceList list_devices(const DeviceOptions& options) {
  DeviceList list;
  list.built = version_text(CUDART_VERSION);
  list.libraries = cuda::find_libraries(options.libraries);
  find_cards(list);
  cuda::ask_free_memory(list.devices);
  return list;
}

}  // namespace signum
