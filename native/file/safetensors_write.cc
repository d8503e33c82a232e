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
void sort_tensors(std::vector<StreamedTensor>& tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const StreamedTensor& a, const StreamedTensor& b) {
    const size_t left = dtype_bytes(a.dtype), right = dtype_bytes(b.dtype);
    return left != right ? left > right : a.name < b.name;
  });
}

std::string header_text(const std::vector<StreamedTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t at = 0;
  for (const StreamedTensor& tensor : tensors) {
    Json& entry = header[tensor.name];
    entry["dtype"] = dtype_name(tensor.dtype);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {at, at + tensor.bytes()};
    at += tensor.bytes();
  }
  std::string text = header.dump();
  text.append((64 - text.size() % 64) % 64, ' ');
  return text;
}

Error wrong_size(const std::string& name) {
  return {"internal", "Tensor " + name + " has not the bytes that its shape needs.", ""};
}

Status write_tensor(const StreamedTensor& tensor, DurableFile& file) {
  uint64_t written = 0;
  SIGNUM_TRY(tensor.produce([&](std::span<const uint8_t> piece) {
    written += piece.size();
    return file.write(piece);
  }));
  if (written != tensor.bytes()) return wrong_size(tensor.name);
  return {};
}

}  // namespace

uint64_t StreamedTensor::bytes() const {
  uint64_t bytes = dtype_bytes(dtype);
  for (const size_t side : shape) bytes *= side;
  return bytes;
}

Status stream_safetensors(const std::string& path, std::vector<StreamedTensor> tensors,
                          const std::map<std::string, std::string>& metadata) {
  sort_tensors(tensors);
  std::set<std::string> names;
  for (const StreamedTensor& tensor : tensors)
    if (!names.insert(tensor.name).second)
      return Error{"internal", "Tensor " + tensor.name + " would be written twice.", ""};
  std::string header;
  try {
    header = header_text(tensors, metadata);
  } catch (const Json::exception& reason) {
    return Error{"internal", "The header of " + path + " cannot be written as JSON.", reason.what()};
  }
  uint64_t total = 8 + header.size();
  for (const StreamedTensor& tensor : tensors) total += tensor.bytes();

  const uint64_t length = header.size();
  SIGNUM_TAKE(DurableFile file, DurableFile::create(path, total));
  SIGNUM_TRY(file.write({reinterpret_cast<const uint8_t*>(&length), 8}));
  SIGNUM_TRY(file.write({reinterpret_cast<const uint8_t*>(header.data()), header.size()}));
  for (const StreamedTensor& tensor : tensors) SIGNUM_TRY(write_tensor(tensor, file));
  return file.commit();
}

Status write_safetensors(const std::string& path, std::vector<TensorToWrite> tensors,
                         std::map<std::string, std::string> metadata, bool hash_tensors) {
  std::vector<StreamedTensor> streamed;
  nlohmann::json hashes = nlohmann::json::object();  // sorted by name
  for (const TensorToWrite& tensor : tensors) {
    streamed.push_back({tensor.name, tensor.dtype, tensor.shape,
                        [bytes = tensor.bytes](const ByteSink& sink) { return sink(bytes); }});
    if (streamed.back().bytes() != tensor.bytes.size()) return wrong_size(tensor.name);
    if (hash_tensors) hashes[tensor.name] = sha256_hex(tensor.bytes);
  }
  if (hash_tensors) metadata["sha256"] = hashes.dump();
  return stream_safetensors(path, std::move(streamed), metadata);
}

}  // namespace signum
