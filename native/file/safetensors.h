// Reading and writing safetensors files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "file/mapped_file.h"
#include "math/to_f32.h"

namespace signum {

// A tensor inside a mapped file; valid while its SafetensorsFile lives.
struct TensorView {
  std::string name;
  DType dtype = DType::F32;
  std::vector<size_t> shape;
  std::span<const uint8_t> bytes;

  size_t elements() const;
};

// A mapped file whose header was checked field by field: length, JSON, dtypes, shapes, offsets inside the
// file, no overlap, no gap. Errors: read_failed, shard_broken.
class SafetensorsFile {
 public:
  static Result<std::shared_ptr<SafetensorsFile>> open(const std::string& path);
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::string& path() const { return map_.path(); }
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const TensorView* find(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  size_t file_bytes() const { return map_.bytes().size(); }
  // model_changed when the file is no longer the one of open().
  Status unchanged() const { return map_.unchanged(); }

 private:
  explicit SafetensorsFile(MappedFile map) : map_(std::move(map)) {}
  MappedFile map_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// What a shard will hold; bytes must stay valid until write_safetensors returns.
struct TensorToWrite {
  std::string name;
  DType dtype;
  std::vector<size_t> shape;
  std::span<const uint8_t> bytes;
};

// Writes path + ".partial", syncs, renames, syncs the folder. Tensor order, padding and header as
// docs/FORMAT.md says. Adds the key "sha256" to the metadata when hash_tensors is set.
Status write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                         std::map<std::string, std::string> metadata, bool hash_tensors);

// Takes the bytes of a tensor in pieces, from the first to the last; a piece lives for one call.
using ByteSink = std::function<Status(std::span<const uint8_t>)>;

// A tensor whose bytes are made while they are written.
struct StreamedTensor {
  std::string name;
  DType dtype;
  std::vector<size_t> shape;
  std::function<Status(const ByteSink&)> produce;  // gives as many bytes as dtype and shape say

  uint64_t bytes() const;
};

// As write_safetensors, a tensor at a time. Errors: those of `produce` too.
Status stream_safetensors(const std::string& path, std::vector<StreamedTensor> tensors,
                          const std::map<std::string, std::string>& metadata);

}  // namespace signum
