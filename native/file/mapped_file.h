// A file mapped for reading, and what happens when it shrinks under the mapping.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"

namespace signum {

class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  const std::string& path() const { return path_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  // model_changed when the file at path() is no longer the one of open(): other size, modification time or
  // inode.
  Status unchanged() const;

 private:
  MappedFile() = default;
  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  int64_t modified_ns_ = 0;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
  int slot_ = -1;  // in the table that the SIGBUS handler looks at
};

// Reading past the new end of a mapped file that shrank raises SIGBUS. From now on that calls
// when_lost(path), inside the signal handler: it must be async-signal-safe and must not return. Any other
// SIGBUS keeps its default action.
void guard_mapped_files(void (*when_lost)(const char* path));

}  // namespace signum
