// SHA-256 of bytes and of files, as 64 lower-case hexadecimal digits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace signum {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::span<const uint8_t> bytes);
  std::string hex();  // ends it

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::span<const uint8_t> bytes);

// Reads the file in pieces; `read` (may be null) hears the bytes of each piece, and stops with the status
// that it returns.
Result<std::string> sha256_file(const std::string& path,
                                const std::function<Status(uint64_t)>& read = nullptr);

}  // namespace signum
