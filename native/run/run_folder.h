// A run's folder: one worker at a time, names of what lies in it.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace signum {

class RunFolder {
 public:
  // Makes the folder if need be and locks it for this process. fresh: it must hold no run yet.
  // Errors: run_in_use, write_failed.
  static Result<RunFolder> lock(const std::string& path, bool fresh);
  RunFolder(RunFolder&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();

  const std::string& path() const { return path_; }
  std::string state() const { return path_ + "/state.json"; }
  std::string packed() const { return path_ + "/packed"; }
  std::string diagnostics() const { return path_ + "/diagnostics"; }
  // Makes packed/, and diagnostics/ if asked for, and removes what an interrupted writing left in them.
  Status prepare(bool with_diagnostics) const;

 private:
  RunFolder() = default;
  std::string path_;
  int fd_ = -1;  // holds the lock; the kernel drops it with the process
};

}  // namespace signum
