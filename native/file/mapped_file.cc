#include "file/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace signum {
namespace {

// Mapped ranges, readable from a signal handler: `begin` is set last and cleared first.
struct Range {
  std::atomic<bool> taken{false};
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  char path[512] = {};
};
constexpr int kRanges = 4096;
Range ranges[kRanges];
std::atomic<void (*)(const char*)> lost{nullptr};

int register_range(const void* data, size_t size, const std::string& path) {
  for (int i = 0; i < kRanges; ++i) {
    Range& range = ranges[i];
    if (range.taken.exchange(true)) continue;
    std::strncpy(range.path, path.c_str(), sizeof range.path - 1);
    range.end = uintptr_t(data) + size;
    range.begin = uintptr_t(data);
    return i;
  }
  return -1;  // more files than slots: that one is not guarded
}

void release_range(int slot) {
  if (slot < 0) return;
  ranges[slot].begin = 0;
  ranges[slot].end = 0;
  ranges[slot].taken = false;
}

void on_bus_error(int, siginfo_t* info, void*) {
  const auto address = uintptr_t(info->si_addr);
  for (const Range& range : ranges) {
    const uintptr_t begin = range.begin;
    // The last page is mapped whole.
    if (begin != 0 && address >= begin && address < (range.end + 4095) / 4096 * 4096)
      if (auto* report = lost.load()) report(range.path);
  }
  ::signal(SIGBUS, SIG_DFL);  // not ours: returning repeats the fault, with the default action
}

int64_t modified_ns(const struct stat& status) {
  return int64_t(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

Error read_error(const std::string& path, int number) {
  return {"read_failed", path + " cannot be read: " + std::strerror(number) + ".", ""};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return read_error(path, errno);
  struct stat status;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    const int number = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    ::close(fd);
    return read_error(path, number);
  }
  MappedFile file;
  file.path_ = path;
  file.size_ = size_t(status.st_size);
  file.modified_ns_ = modified_ns(status);
  file.device_ = status.st_dev;
  file.inode_ = status.st_ino;
  if (file.size_ > 0) {
    void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, fd, 0);
    const int number = errno;
    ::close(fd);
    if (data == MAP_FAILED) return read_error(path, number);
    file.data_ = static_cast<const uint8_t*>(data);
    file.slot_ = register_range(data, file.size_, path);
  } else {
    ::close(fd);
  }
  return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      modified_ns_(other.modified_ns_),
      device_(other.device_),
      inode_(other.inode_),
      slot_(std::exchange(other.slot_, -1)) {}

MappedFile::~MappedFile() {
  release_range(slot_);
  if (data_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

Status MappedFile::unchanged() const {
  struct stat status;
  const char* what = nullptr;
  if (::stat(path_.c_str(), &status) != 0)
    what = "is gone";
  else if (size_t(status.st_size) != size_)
    what = "has another size";
  else if (status.st_dev != device_ || status.st_ino != inode_)
    what = "was replaced";
  else if (modified_ns(status) != modified_ns_)
    what = "was written to";
  if (!what) return {};
  return Error{"model_changed", path_ + " " + what + " since it was opened.", ""};
}

void guard_mapped_files(void (*when_lost)(const char* path)) {
  lost = when_lost;
  struct sigaction action = {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace signum
