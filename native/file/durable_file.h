// A file that is either there whole or not at all: written as path + ".partial", synced, renamed, its folder
// synced.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"

namespace signum {

class DurableFile {
 public:
  // expected_bytes: the size that the file will have; asked from the file system at once, so that a full disk
  // shows before writing.
  static Result<DurableFile> create(const std::string& path, uint64_t expected_bytes);
  DurableFile(DurableFile&& other) noexcept;
  DurableFile& operator=(DurableFile&&) = delete;
  ~DurableFile();  // removes what was not committed

  // Errors: disk_full, write_failed, model_changed (the bytes were mapped from a file that shrank).
  Status write(std::span<const uint8_t> bytes);
  // Everything written is on the disk, and no longer in memory where the system drops it: whoever reads
  // partial() before commit() reads what will stay.
  Status sync();
  std::string partial() const { return path_ + ".partial"; }
  Status commit();

 private:
  DurableFile() = default;
  Error failure(int number) const;
  std::string path_;
  uint64_t expected_bytes_ = 0;
  int fd_ = -1;
};

Status sync_folder(const std::string& folder);
// A synced file leaves the system's memory, where that is possible: who reads it then reads the disk.
void drop_cached(const std::string& path);
// Bytes that this user can still write in the file system of the folder; 0 when it cannot be asked.
uint64_t free_bytes(const std::string& folder);

}  // namespace signum
