// A folder that is either there whole or not at all: filled as path + ".partial", synced, renamed, the folder
// above it synced.
#pragma once

#include <string>

#include "base/error.h"

namespace signum {

class PartialFolder {
 public:
  // What an ended process left under the partial name is removed. Errors: write_failed, also when `path` is
  // there or another process fills the same folder.
  static Result<PartialFolder> create(const std::string& path);
  PartialFolder(PartialFolder&& other) noexcept;
  PartialFolder& operator=(PartialFolder&&) = delete;
  ~PartialFolder();  // removes what was not committed

  // Where the files go until commit().
  std::string path() const { return path_ + ".partial"; }
  // Files must be synced before. A folder that has come to stand under the final name is left as it is.
  Status commit();

 private:
  PartialFolder() = default;
  std::string path_;
  int fd_ = -1;  // of the partial folder, locked while it is filled
};

}  // namespace signum
