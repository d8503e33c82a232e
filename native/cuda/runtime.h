// The card: memory, streams, copies, launches, graphs. Two ends stand behind it: cuda/hardware on CUDA's
// runtime, and emulated/ on the CPU. Errors in native/cuda are thrown as Fault and become values where the
// program calls it (guarded()).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cuda/dialect.h"
#include "device/device.h"

namespace signum::cuda {

// Thrown in native/cuda only. Codes: device_memory_short, device_failed, device_missing, cancelled, and those
// of whatever stands behind.
struct Fault {
  Error error;
};

template <class Work>
auto guarded(Work&& work) -> Result<decltype(work())> {
  try {
    return work();
  } catch (Fault& fault) {
    return std::move(fault.error);
  }
}
template <class Work>
Status guarded_status(Work&& work) {
  try {
    work();
    return {};
  } catch (Fault& fault) {
    return std::move(fault.error);
  }
}
inline void check(Status status) {
  if (!status.ok()) throw Fault{status.error()};
}
template <class T>
T taken(Result<T> result) {
  if (!result.ok()) throw Fault{result.error()};
  return std::move(result).value();
}

class Device;

// Work in order. Different streams go on beside each other.
class Stream {
 public:
  explicit Stream(Device& device);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  // Waits for all that was put in.
  void wait();
  // What is put in from now on waits for what has been put into `other`.
  void wait_for(Stream& other);
  void* handle() const { return handle_; }  // cudaStream_t

 private:
  friend class Device;
  Device& device_;
  void* handle_ = nullptr;
};

struct OpenOptions {
  uint64_t memory_limit = 0;  // bytes that may be in use at once; 0: what the card has
  std::string libraries;      // DeviceOptions
};

// One card, opened: one in a process. All memory of a stream-ordered pool; released memory is kept for the
// next who asks and counts as free.
class Device {
 public:
  // id: DeviceInfo::id, or "cuda". Errors: device_missing with the reason.
  static Result<std::unique_ptr<Device>> open(const std::string& id, const OpenOptions& options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const DeviceInfo& info() const { return info_; }
  bool emulated() const;
  size_t multiprocessors() const { return multiprocessors_; }
  // The stream that everything uses if nothing else is said.
  Stream& stream() { return *stream_; }
  // For copies beside the work.
  Stream& copies() { return *copies_; }

  // Asked from any thread.
  uint64_t used_bytes() const { return used_; }
  uint64_t peak_bytes() const { return peak_; }
  void reset_peak() { peak_ = used_.load(); }
  // Bytes that can still be had: what the limit and the card leave.
  uint64_t free_bytes() const;
  uint64_t limit_bytes() const { return limit_; }

  // 256-byte aligned, not initialized. `what` is named when there is no room: Fault device_memory_short.
  void* allocate(size_t bytes, const char* what);
  void release(void* memory, size_t bytes) noexcept;
  // What allocate() throws: says what was needed, what there is, and what to change.
  Fault memory_short(const char* what, size_t bytes) const;

  // In the order of stream(). Afterwards the host memory may change or go: more than a few numbers are waited
  // for. Not while a graph is recorded.
  void upload(void* to, const void* from, size_t bytes);
  void download(void* to, const void* from, size_t bytes);
  // The host memory must stay as it is until the stream has been waited for.
  void upload(Stream& stream, void* to, const void* from, size_t bytes);
  void download_later(Stream& stream, void* to, const void* from, size_t bytes);
  void copy(void* to, const void* from, size_t bytes);
  void fill(void* to, int byte, size_t bytes);

  // Page-locked host memory: copies from and to it run beside the work. Fault memory_short.
  void* allocate_pinned(size_t bytes);
  void release_pinned(void* memory) noexcept;
  // Locks memory that is there already; false where the system does not let us (it works all the same).
  bool pin(void* memory, size_t bytes);
  void unpin(void* memory) noexcept;

 private:
  Device();
  friend class Stream;
  DeviceInfo info_;
  size_t multiprocessors_ = 1;
  uint64_t limit_ = 0;
  std::atomic<uint64_t> used_ = 0, peak_ = 0;
  std::unique_ptr<Stream> stream_, copies_;
};

// `size` elements on the card; movable, released with it.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  Array(Device& device, size_t size, const char* what)
      : device_(&device), size_(size), data_(static_cast<T*>(device.allocate(size * sizeof(T), what))) {}
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    Array gone(std::move(other));
    swap(gone);
    return *this;
  }
  ~Array() {
    if (data_) device_->release(data_, size_ * sizeof(T));
  }
  T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  explicit operator bool() const { return data_ != nullptr; }

  void upload(std::span<const T> from) { device_->upload(data_, from.data(), from.size_bytes()); }
  std::vector<T> download() const {
    std::vector<T> out(size_);
    device_->download(out.data(), data_, bytes());
    return out;
  }
  void fill(int byte) { device_->fill(data_, byte, bytes()); }

 private:
  void swap(Array& other) {
    std::swap(device_, other.device_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
  }
  Device* device_ = nullptr;
  size_t size_ = 0;
  T* data_ = nullptr;
};

// rows x columns numbers on the card, row-major, stride in elements.
template <class T>
struct DeviceView {
  T* data = nullptr;
  size_t rows = 0, columns = 0, stride = 0;

  DeviceView block(size_t r, size_t c, size_t rows_, size_t columns_) const {
    return {data + r * stride + c, rows_, columns_, stride};
  }
  template <class Const>
  requires(!std::is_const_v<T> && std::is_same_v<Const, const T>) operator DeviceView<Const>() const {
    return {data, rows, columns, stride};
  }
};
template <class T>
DeviceView<T> view_of(const Array<T>& array, size_t rows, size_t columns) {
  return {array.data(), rows, columns, columns};
}

struct Grid {
  dim3 blocks, threads;
  size_t shared = 0;  // bytes of dynamic shared memory
};
inline unsigned parts(size_t count, size_t size) { return unsigned((count + size - 1) / size); }
// One thread for each of count things.
inline Grid one_each(size_t count, unsigned threads = 256) {
  return {dim3(parts(count, threads)), dim3(threads)};
}

// What launch() needs of the ends.
namespace launching {
void start(Stream& stream, const void* kernel, const Grid& grid, void** arguments);
void start_emulated(Stream& stream, const Grid& grid, std::function<void()> body);
}  // namespace launching

// Puts kernel(arguments...) into the stream; nothing to do where a side of the grid is 0. Parameters are
// copied, as CUDA does.
template <class... Parameters, class... Arguments>
void launch(Stream& stream, void (*kernel)(Parameters...), const Grid& grid, Arguments&&... arguments) {
  if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
  std::tuple<Parameters...> copies(std::forward<Arguments>(arguments)...);
#ifdef SIGNUM_EMULATED
  launching::start_emulated(stream, grid, [kernel, copies] { std::apply(kernel, copies); });
#else
  std::apply(
      [&](auto&... values) {
        void* pointers[] = {static_cast<void*>(&values)..., nullptr};
        launching::start(stream, reinterpret_cast<const void*>(kernel), grid, pointers);
      },
      copies);
#endif
}
template <class... Parameters, class... Arguments>
void launch(Device& device, void (*kernel)(Parameters...), const Grid& grid, Arguments&&... arguments) {
  launch(device.stream(), kernel, grid, std::forward<Arguments>(arguments)...);
}

// Launches and copies on the card recorded once and played often (CUDA graphs). Between record() and its
// return nothing is executed; allocations are not allowed there.
class Graph {
 public:
  Graph(Device& device, const std::function<void()>& record);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  // In stream().
  void play();

 private:
  struct Recorded;
  std::unique_ptr<Recorded> recorded_;
};

}  // namespace signum::cuda
