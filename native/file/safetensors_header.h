// The JSON header of a safetensors file, checked field by field. Pure: no file is touched.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"

namespace signum {

constexpr uint64_t kHeaderLimit = 100'000'000;  // bytes; the limit of the format's own library

struct HeaderEntry {
  std::string name;
  DType dtype = DType::F32;
  std::vector<size_t> shape;
  uint64_t begin = 0;  // bytes from the start of the data
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> tensors;  // in order of begin
  std::map<std::string, std::string> metadata;
};

// text: the header; data_bytes: what follows it in the file; file: the name to put into messages. Error
// shard_broken.
Result<SafetensorsHeader> parse_safetensors_header(std::string_view text, uint64_t data_bytes,
                                                   const std::string& file);

}  // namespace signum
