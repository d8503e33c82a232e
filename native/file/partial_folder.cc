#include "file/partial_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "file/durable_file.h"

namespace signum {
namespace fs = std::filesystem;
namespace {

Error failed(const std::string& what) { return {"write_failed", what + ".", ""}; }

// rename(2) would replace an empty folder.
int rename_new(const std::string& from, const std::string& to) {
#ifdef RENAME_NOREPLACE
  const int renamed = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (renamed == 0 || errno != EINVAL) return renamed;  // EINVAL: a file system that cannot
#endif
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(to, ignored))) {
    errno = EEXIST;
    return -1;
  }
  return ::rename(from.c_str(), to.c_str());
}

}  // namespace

Result<PartialFolder> PartialFolder::create(const std::string& path) {
  PartialFolder folder;
  folder.path_ = fs::path(path).lexically_normal().string();
  while (folder.path_.size() > 1 && folder.path_.ends_with('/')) folder.path_.pop_back();
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder.path_, error))) return failed(folder.path_ + " is already there");
  const std::string partial = folder.path();
  fs::create_directories(partial, error);
  if (error) return failed(partial + " cannot be made: " + error.message());
  const int fd = ::open(partial.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return failed(partial + " cannot be opened: " + std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return failed("Another process writes " + folder.path_);
  }
  folder.fd_ = fd;
  for (const auto& left : fs::directory_iterator(partial, error)) fs::remove_all(left.path(), error);
  if (error) return failed(partial + " cannot be emptied: " + error.message());
  return folder;
}

PartialFolder::PartialFolder(PartialFolder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

PartialFolder::~PartialFolder() {
  if (fd_ < 0) return;
  std::error_code ignored;
  fs::remove_all(path(), ignored);
  ::close(fd_);
}

Status PartialFolder::commit() {
  SIGNUM_TRY(sync_folder(path()));
  if (rename_new(path(), path_) != 0)
    return failed(path() + " cannot be renamed to " + path_ + ": " + std::strerror(errno));
  ::close(std::exchange(fd_, -1));
  const auto above = fs::path(path_).parent_path();
  return sync_folder(above.empty() ? "." : above.string());
}

}  // namespace signum
