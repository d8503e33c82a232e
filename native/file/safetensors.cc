#include "file/safetensors.h"

#include <bit>
#include <cstring>
#include <filesystem>

#include "file/safetensors_header.h"

namespace signum {

static_assert(std::endian::native == std::endian::little,
              "safetensors are little-endian and read as they lie");

size_t TensorView::elements() const {
  size_t count = 1;
  for (size_t side : shape) count *= side;
  return count;
}

const TensorView* SafetensorsFile::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

Result<std::shared_ptr<SafetensorsFile>> SafetensorsFile::open(const std::string& path) {
  SIGNUM_TAKE(MappedFile map, MappedFile::open(path));
  const std::string name = std::filesystem::path(path).filename().string();
  const auto bytes = map.bytes();
  if (bytes.size() < 8)
    return Error{
        "shard_broken",
        name + ": the file has " + std::to_string(bytes.size()) + " bytes, too few for the header's length.",
        path};
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > kHeaderLimit)
    return Error{"shard_broken",
                 name + ": the header's length " + std::to_string(length) + " is above " +
                     std::to_string(kHeaderLimit) + ".",
                 path};
  if (length > bytes.size() - 8)
    return Error{"shard_broken",
                 name + ": the header's length " + std::to_string(length) + " goes beyond the file's " +
                     std::to_string(bytes.size()) + " bytes.",
                 path};
  const auto text = bytes.subspan(8, length);
  const auto data = bytes.subspan(8 + length);
  SIGNUM_TAKE(auto header, parse_safetensors_header({reinterpret_cast<const char*>(text.data()), text.size()},
                                                    data.size(), name));

  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile(std::move(map)));
  for (HeaderEntry& entry : header.tensors) {
    TensorView& view = file->tensors_[entry.name];
    view = {entry.name, entry.dtype, std::move(entry.shape),
            data.subspan(entry.begin, entry.end - entry.begin)};
  }
  file->metadata_ = std::move(header.metadata);
  return file;
}

}  // namespace signum
