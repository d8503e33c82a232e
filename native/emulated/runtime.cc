// The emulated end of cuda/runtime.h: streams do at once what is put into them.
#include "cuda/runtime.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace signum {
namespace {

// Bytes of the emulated card; as many cards as SIGNUM_EMULATED_DEVICES says.
constexpr uint64_t kMemory = uint64_t(2) << 30;

size_t device_count() {
  const char* text = std::getenv("SIGNUM_EMULATED_DEVICES");
  return text ? std::strtoul(text, nullptr, 10) : 1;
}
uint64_t device_memory() {
  const char* text = std::getenv("SIGNUM_EMULATED_MEMORY");
  return text ? std::strtoull(text, nullptr, 10) : kMemory;
}

DeviceInfo device_info(size_t index) {
  DeviceInfo info;
  info.id = "cuda:" + std::to_string(index);
  info.name = "Emulated device";
  info.uuid = "EMULATED-" + std::to_string(index);
  info.memory_bytes = info.free_bytes = device_memory();
  info.major = 8;
  return info;
}

}  // namespace

DeviceList list_devices(const DeviceOptions&) {
  DeviceList list;
  list.driver = list.built = "emulated";
  for (size_t i = 0; i < device_count(); ++i) list.devices.push_back(device_info(i));
  if (list.devices.empty()) list.reason = "There is no emulated device.";
  return list;
}

namespace cuda {
namespace {

// What is being recorded; null: launches run at once.
std::vector<std::function<void()>>* recording = nullptr;

void now_or_recorded(std::function<void()> work) {
  if (recording)
    recording->push_back(std::move(work));
  else
    work();
}

}  // namespace

Stream::Stream(Device& device) : device_(device) {}
Stream::~Stream() = default;
void Stream::wait() {}
void Stream::wait_for(Stream&) {}

Device::Device() = default;
Device::~Device() = default;
bool Device::emulated() const { return true; }

Result<std::unique_ptr<Device>> Device::open(const std::string& id, const OpenOptions& options) {
  const DeviceList list = list_devices({options.libraries});
  const auto found = std::ranges::find_if(
      list.devices, [&](const DeviceInfo& info) { return id == "cuda" || info.id == id; });
  if (found == list.devices.end())
    return Error{"device_missing", "There is no device " + id + ". " + list.reason, ""};
  std::unique_ptr<Device> device(new Device);
  device->info_ = *found;
  device->multiprocessors_ = 4;
  device->limit_ =
      options.memory_limit ? std::min(options.memory_limit, found->memory_bytes) : found->memory_bytes;
  device->stream_ = std::make_unique<Stream>(*device);
  device->copies_ = std::make_unique<Stream>(*device);
  return device;
}

uint64_t Device::free_bytes() const { return limit_ - used_; }

void* Device::allocate(size_t bytes, const char* what) {
  if (recording) throw Fault{{"internal", "Memory was asked for while a graph was recorded.", what}};
  if (bytes > free_bytes()) throw memory_short(what, bytes);
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256 + 256);
  if (!memory) throw std::bad_alloc();
  std::memset(memory, 0xFF, bytes);  // NaN: whoever reads what nobody wrote is found out
  used_ += bytes;
  peak_ = std::max(peak_.load(), used_.load());
  return memory;
}
void Device::release(void* memory, size_t bytes) noexcept {
  std::free(memory);
  used_ -= bytes;
}

void Device::upload(void* to, const void* from, size_t bytes) { copy(to, from, bytes); }
void Device::upload(Stream&, void* to, const void* from, size_t bytes) { copy(to, from, bytes); }
void Device::download(void* to, const void* from, size_t bytes) { copy(to, from, bytes); }
void Device::download_later(Stream&, void* to, const void* from, size_t bytes) { copy(to, from, bytes); }
void Device::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;  // then there may be no memory
  now_or_recorded([=] { std::memmove(to, from, bytes); });
}
void Device::fill(void* to, int byte, size_t bytes) {
  now_or_recorded([=] { std::memset(to, byte, bytes); });
}

void* Device::allocate_pinned(size_t bytes) {
  void* memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096 + 4096);
  if (!memory) throw Fault{{"memory_short", "The machine has no memory left for page-locked buffers.", ""}};
  return memory;
}
void Device::release_pinned(void* memory) noexcept { std::free(memory); }
bool Device::pin(void*, size_t) { return true; }
void Device::unpin(void*) noexcept {}

void launching::start_emulated(Stream&, const Grid& grid, std::function<void()> body) {
  now_or_recorded(
      [grid, body = std::move(body)] { emulated::run_grid(grid.blocks, grid.threads, grid.shared, body); });
}

struct Graph::Recorded {
  std::vector<std::function<void()>> work;
};
Graph::Graph(Device&, const std::function<void()>& record) : recorded_(std::make_unique<Recorded>()) {
  recording = &recorded_->work;
  try {
    record();
  } catch (...) {
    recording = nullptr;
    throw;
  }
  recording = nullptr;
}
Graph::~Graph() = default;
void Graph::play() {
  for (const auto& one : recorded_->work) one();
}

}  // namespace cuda
}  // namespace signum
