#include "file/json_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "file/durable_file.h"

namespace signum {

Result<std::string> read_text_file(const std::string& path, size_t limit) {
  const auto error = [&](const std::string& reason) {
    return Error{"read_failed", path + " cannot be read: " + reason + ".", ""};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return error(std::strerror(errno));
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || text.size() + size_t(got) > limit) {
      const int number = errno;
      ::close(fd);
      if (got < 0) return error(std::strerror(number));
      if (got > 0) return error("it has more than " + std::to_string(limit) + " bytes");
      return text;
    }
    text.append(buffer, size_t(got));
  }
}

Status write_text_file(const std::string& path, std::string_view text) {
  SIGNUM_TAKE(DurableFile file, DurableFile::create(path, text.size()));
  SIGNUM_TRY(file.write({reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return file.commit();
}

}  // namespace signum
