// GGUF version 3, the file of llama.cpp: key-value metadata, a list of tensors, their bytes; everything
// little-endian (github.com/ggml-org/ggml, docs/gguf.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "export/export_outcome.h"
#include "export/gguf_types.h"

namespace signum {

class ThreadPool;

// Key-value pairs in the order in which they are added; a key is added once.
class GgufMetadata {
 public:
  void add(std::string_view key, uint32_t value);
  void add(std::string_view key, float value);
  void add(std::string_view key, bool value);
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, const char* value) { add(key, std::string_view(value)); }
  void add(std::string_view key, const std::vector<std::string>& values);
  void add(std::string_view key, const std::vector<float>& values);
  void add(std::string_view key, const std::vector<int32_t>& values);

  uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(std::string_view name, uint32_t type);
  uint64_t count_ = 0;
  std::string bytes_;
};

// Takes the rows of a tensor, some at a time, from the first to the last.
using RowSink = std::function<Status(ConstView rows)>;

struct GgufTensor {
  std::string name;
  size_t rows = 0;  // 0: a vector
  size_t columns = 0;
  GgufType type = GgufType::F32;
  bool exact = false;                             // the type holds every number; anything else is an error
  std::function<Status(const RowSink&)> produce;  // gives all rows (a vector: one) to the sink

  uint64_t elements() const { return uint64_t(rows == 0 ? 1 : rows) * columns; }
  uint64_t bytes() const;
};

struct GgufWritten {
  uint64_t bytes = 0;  // of the file
  std::string sha256;
  std::vector<RoundingError> errors;  // by tensor: what its type adds
};

// Written as path + ".partial", synced, read back and compared number by number with what `produce` gives
// once more, renamed, its folder synced. Errors: export_unsupported (a number is too large for its tensor's
// type), export_unverified, disk_full, write_failed, those of `produce` and `progress`.
Result<GgufWritten> write_gguf(const std::string& path, const GgufMetadata& metadata,
                               const std::vector<GgufTensor>& tensors, const ExportProgress& progress,
                               ThreadPool& pool);

}  // namespace signum
