// The emulated end of cuda/runtime.h.
#include "cuda/runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "emulated/streams.h"

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

emulated::Queue& queue_of(const Stream& stream) { return *static_cast<emulated::Queue*>(stream.handle()); }

// What is being recorded, and on which stream; null: nothing is.
std::vector<std::function<void()>>* recording = nullptr;
const Stream* recorded_stream = nullptr;

void put(const Stream& stream, std::function<void()> work) {
  if (recording && &stream == recorded_stream)
    recording->push_back(std::move(work));
  else
    queue_of(stream).put(std::move(work));
}

void not_while_recording(const char* what) {
  if (recording) throw Fault{{"internal", "A graph that is recorded cannot do this: ", what}};
}

}  // namespace

Stream::Stream(Device& device) : device_(device), handle_(new emulated::Queue) {}
Stream::~Stream() {
  queue_of(*this).empty();
  delete &queue_of(*this);
}
void Stream::wait() {
  not_while_recording("waiting for a stream");
  queue_of(*this).empty();
}
void Stream::wait_for(Stream& other) {
  not_while_recording("ordering two streams");
  queue_of(*this).wait_for(queue_of(other));
}

Device::Device() = default;
Device::~Device() {
  if (stream_) stream_->wait();
}
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
  not_while_recording("making room");
  if (bytes > free_bytes()) throw memory_short(what, bytes);
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256 + 256);
  if (!memory) throw std::bad_alloc();
  // NaN: whoever reads what nobody wrote is found out. In the order of stream(), as the room is: another
  // stream that does not wait before it writes finds its writing gone.
  fill(memory, 0xFF, bytes);
  used_ += bytes;
  peak_ = std::max(peak_.load(), used_.load());
  return memory;
}
void Device::release(void* memory, size_t bytes) noexcept {
  if (recording) {
    std::fputs("emulated device: memory was released while a graph was recorded\n", stderr);
    std::abort();
  }
  queue_of(stream()).put([=] {
    std::memset(memory, 0xFF, bytes);
    std::free(memory);
  });
  used_ -= bytes;
}

void Device::upload(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;  // then there may be no memory
  not_while_recording("taking host memory that may change");
  const auto* first = static_cast<const unsigned char*>(from);
  put(stream(), [to, taken = std::vector<unsigned char>(first, first + bytes)] {
    std::memcpy(to, taken.data(), taken.size());
  });
}
void Device::upload(Stream& stream, void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  put(stream, [=] { std::memcpy(to, from, bytes); });
}
void Device::download(void* to, const void* from, size_t bytes) {
  not_while_recording("reading from the card");
  download_later(stream(), to, from, bytes);
  stream().wait();
}
void Device::download_later(Stream& stream, void* to, const void* from, size_t bytes) {
  upload(stream, to, from, bytes);
}
void Device::copy(void* to, const void* from, size_t bytes) { upload(stream(), to, from, bytes); }
void Device::fill(void* to, int byte, size_t bytes) {
  if (bytes == 0) return;
  put(stream(), [=] { std::memset(to, byte, bytes); });
}

void* Device::allocate_pinned(size_t bytes) {
  void* memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096 + 4096);
  if (!memory) throw Fault{{"memory_short", "The machine has no memory left for page-locked buffers.", ""}};
  return memory;
}
void Device::release_pinned(void* memory) noexcept { std::free(memory); }
bool Device::pin(void*, size_t) { return true; }
void Device::unpin(void*) noexcept {}

void launching::start_emulated(Stream& stream, const Grid& grid, std::function<void()> body) {
  put(stream,
      [grid, body = std::move(body)] { emulated::run_grid(grid.blocks, grid.threads, grid.shared, body); });
}

struct Graph::Recorded {
  Device& device;
  std::vector<std::function<void()>> work;
};
Graph::Graph(Device& device, const std::function<void()>& record)
    : recorded_(std::make_unique<Recorded>(device)) {
  recording = &recorded_->work;
  recorded_stream = &device.stream();
  const auto end = [] { recording = nullptr, recorded_stream = nullptr; };
  try {
    record();
  } catch (...) {
    end();
    throw;
  }
  end();
}
// The card's own end takes a graph away only when it is not being played.
Graph::~Graph() { recorded_->device.stream().wait(); }
void Graph::play() {
  for (const auto& one : recorded_->work) queue_of(recorded_->device.stream()).put(one);
}

}  // namespace cuda
}  // namespace signum
