#include "run/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace signum {
namespace {

constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

// A line "key   value" of a file like /proc/meminfo; `missing` when there is none.
uint64_t field(const std::string& path, const std::string& key, uint64_t missing) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  return missing;
}

uint64_t number_in(const std::string& path) {  // "max" or no such file: unlimited
  std::ifstream in(path);
  uint64_t value = 0;
  return in >> value ? value : kUnlimited;
}

// Room below the tightest memory limit of the control groups (version 2) above this process. Their file cache
// can go.
uint64_t control_group_room() {
  std::ifstream in("/proc/self/cgroup");
  std::string path;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("0::")) path = line.substr(3);
  uint64_t room = kUnlimited;
  for (;;) {
    while (path.ends_with("/")) path.pop_back();
    const std::string folder = "/sys/fs/cgroup" + path;
    const uint64_t limit = number_in(folder + "/memory.max"), used = number_in(folder + "/memory.current");
    if (limit != kUnlimited && used != kUnlimited) {
      const uint64_t fixed = used - std::min(used, field(folder + "/memory.stat", "file ", 0));
      room = std::min(room, limit - std::min(limit, fixed));
    }
    if (path.empty()) return room;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

}  // namespace

uint64_t total_memory() { return uint64_t(::sysconf(_SC_PHYS_PAGES)) * uint64_t(::sysconf(_SC_PAGESIZE)); }

uint64_t available_memory() {
  const uint64_t kilobytes = field("/proc/meminfo", "MemAvailable:", kUnlimited);
  return std::min(kilobytes == kUnlimited ? total_memory() : kilobytes * 1024, control_group_room());
}

uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * uint64_t(::sysconf(_SC_PAGESIZE));
}

uint64_t peak_resident_bytes() {
  struct rusage usage;
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? uint64_t(usage.ru_maxrss) * 1024 : 0;
}

}  // namespace signum
