#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "file/durable_file.h"
#include "file/safetensors.h"
#include "file/sha256.h"

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

// docs/FORMAT.md: largest element size first, then name.
void sort_tensors(std::vector<TensorToWrite>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    const size_t left = dtype_bytes(a.dtype), right = dtype_bytes(b.dtype);
    return left != right ? left > right : a.name < b.name;
  });
}

std::string header_text(const std::vector<TensorToWrite>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const TensorToWrite& tensor : tensors) {
    Json& entry = header[tensor.name];
    entry["dtype"] = dtype_name(tensor.dtype);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {at, at + tensor.bytes.size()};
    at += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.append((64 - text.size() % 64) % 64, ' ');
  return text;
}

Status check(const std::vector<TensorToWrite>& tensors) {
  std::set<std::string> names;
  for (const TensorToWrite& tensor : tensors) {
    uint64_t bytes = dtype_bytes(tensor.dtype);
    for (size_t side : tensor.shape) bytes *= side;
    if (bytes != tensor.bytes.size())
      return Error{"internal", "Tensor " + tensor.name + " has not the bytes that its shape needs.", ""};
    if (!names.insert(tensor.name).second)
      return Error{"internal", "Tensor " + tensor.name + " would be written twice.", ""};
  }
  return {};
}

}  // namespace

Status write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                         std::map<std::string, std::string> metadata, bool hash_tensors) {
  sort_tensors(tensors);
  SIGNUM_TRY(check(tensors));
  if (hash_tensors) {
    nlohmann::json hashes = nlohmann::json::object();  // sorted by name
    for (const TensorToWrite& tensor : tensors) hashes[tensor.name] = sha256_hex(tensor.bytes);
    metadata["sha256"] = hashes.dump();
  }
  std::string header;
  try {
    header = header_text(tensors, metadata);
  } catch (const Json::exception& reason) {
    return Error{"internal", "The header of " + path + " cannot be written as JSON.", reason.what()};
  }
  uint64_t total = 8 + header.size();
  for (const TensorToWrite& tensor : tensors) total += tensor.bytes.size();

  const uint64_t length = header.size();
  SIGNUM_TAKE(DurableFile file, DurableFile::create(path, total));
  SIGNUM_TRY(file.write({reinterpret_cast<const uint8_t*>(&length), 8}));
  SIGNUM_TRY(file.write({reinterpret_cast<const uint8_t*>(header.data()), header.size()}));
  for (const TensorToWrite& tensor : tensors) SIGNUM_TRY(file.write(tensor.bytes));
  return file.commit();
}

}  // namespace signum
