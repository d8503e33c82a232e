#include "file/durable_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace signum {
namespace {

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

uint64_t free_bytes(const std::string& folder) {
  struct statvfs status;
  if (::statvfs(folder.c_str(), &status) != 0) return 0;
  return uint64_t(status.f_bavail) * status.f_frsize;
}

Status sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool ok = fd >= 0 && ::fsync(fd) == 0;
  const int number = errno;
  if (fd >= 0) ::close(fd);
  if (ok) return {};
  return Error{"write_failed", folder + " cannot be synced: " + std::strerror(number) + ".", ""};
}

void drop_cached(const std::string& path) {
#ifdef __linux__
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
#endif
}

Error DurableFile::failure(int number) const {
  if (number == ENOSPC || number == EDQUOT)
    return {"disk_full",
            path_ + " needs " + std::to_string(expected_bytes_) + " bytes, " +
                std::to_string(free_bytes(folder_of(path_))) + " are free.",
            ""};
  if (number == EFAULT)
    return {"model_changed", "A mapped file shrank while " + path_ + " was written from it.", ""};
  return {"write_failed", path_ + " cannot be written: " + std::strerror(number) + ".", ""};
}

Result<DurableFile> DurableFile::create(const std::string& path, uint64_t expected_bytes) {
  DurableFile file;
  file.path_ = path;
  file.expected_bytes_ = expected_bytes;
  file.fd_ = ::open((path + ".partial").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file.fd_ < 0) return file.failure(errno);
#ifdef __linux__
  // File systems that cannot reserve say so; then writing finds out.
  if (expected_bytes > 0 && ::fallocate(file.fd_, 0, 0, off_t(expected_bytes)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT))
    return file.failure(errno);
#endif
  return file;
}

DurableFile::DurableFile(DurableFile&& other) noexcept
    : path_(std::move(other.path_)),
      expected_bytes_(other.expected_bytes_),
      fd_(std::exchange(other.fd_, -1)) {}

DurableFile::~DurableFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink((path_ + ".partial").c_str());
}

Status DurableFile::write(std::span<const uint8_t> bytes) {
  constexpr size_t kChunk = size_t(64) << 20;  // one write(2) takes at most 2 GiB
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), kChunk));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno);
    bytes = bytes.subspan(size_t(written));
  }
  return {};
}

Status DurableFile::sync() {
  if (::fsync(fd_) != 0) return failure(errno);
#ifdef __linux__
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
#endif
  return {};
}

Status DurableFile::commit() {
  if (::fsync(fd_) != 0) return failure(errno);
  ::close(std::exchange(fd_, -1));
  if (::rename(partial().c_str(), path_.c_str()) != 0) {
    const Error error = failure(errno);
    ::unlink(partial().c_str());
    return error;
  }
  return sync_folder(folder_of(path_));
}

}  // namespace signum
