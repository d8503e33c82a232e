// A file that was just written, read again from its beginning to its end, and its hash.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "file/mapped_file.h"
#include "file/sha256.h"

namespace signum {

class ReadBack {
 public:
  // name: the file's, for errors.
  static Result<ReadBack> open(const std::string& path, const std::string& name);

  // The next bytes of the file. Error export_unverified: it has no more so many.
  Result<std::span<const uint8_t>> next(uint64_t bytes);
  // SHA-256 of the file, which must have been read to its end (else export_unverified).
  Result<std::string> end();

 private:
  ReadBack(MappedFile file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  MappedFile file_;
  std::string name_;
  uint64_t at_ = 0;
  std::unique_ptr<Sha256> hash_ = std::make_unique<Sha256>();
};

}  // namespace signum
