#include "run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "file/durable_file.h"

namespace signum {
namespace fs = std::filesystem;
namespace {

Status prepared(const std::string& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return Error{"write_failed", folder + " cannot be made: " + failed.message() + ".", ""};
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (entry.path().extension() == ".partial") fs::remove(entry.path(), failed);
  return {};
}

}  // namespace

Result<RunFolder> RunFolder::lock(const std::string& path, bool fresh) {
  std::error_code failed;
  if (fresh && fs::exists(path + "/config.json", failed))
    return Error{"run_in_use", path + " holds a model: choose another folder.", ""};
  fs::create_directories(path, failed);
  if (failed) return Error{"write_failed", path + " cannot be made: " + failed.message() + ".", ""};
  RunFolder folder;
  folder.path_ = path;
  folder.fd_ = ::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (folder.fd_ < 0)
    return Error{"write_failed", path + "/lock cannot be made: " + std::strerror(errno) + ".", ""};
  if (::flock(folder.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Error{"run_in_use", "Another worker works on " + path + ".", ""};
    return Error{"write_failed", path + "/lock cannot be locked: " + std::strerror(errno) + ".", ""};
  }
  if (fresh && (fs::exists(folder.state(), failed) || fs::exists(folder.packed(), failed)))
    return Error{"run_in_use", path + " already holds a run: resume it, or choose another folder.", ""};
  return folder;
}

RunFolder::~RunFolder() {
  if (fd_ >= 0) ::close(fd_);
}

Status RunFolder::prepare(bool with_diagnostics) const {
  SIGNUM_TRY(prepared(packed()));
  if (with_diagnostics) SIGNUM_TRY(prepared(diagnostics()));
  return sync_folder(path_);
}

}  // namespace signum
