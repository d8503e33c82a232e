#include "file/sha256.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace signum {

std::string sha256_hex(std::span<const uint8_t> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

Result<std::string> sha256_file(const std::string& path, const std::function<Status(uint64_t)>& read) {
  const auto error = [&](int number) {
    return Error{"read_failed", path + " cannot be read: " + std::strerror(number) + ".", ""};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error(errno);
  Sha256 hash;
  std::vector<uint8_t> buffer(size_t(4) << 20);
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int number = errno;
      ::close(fd);
      if (got < 0) return error(number);
      return hash.hex();
    }
    hash.update({buffer.data(), size_t(got)});
    if (!read) continue;
    if (Status status = read(uint64_t(got)); !status.ok()) {
      ::close(fd);
      return status.error();
    }
  }
}

}  // namespace signum
