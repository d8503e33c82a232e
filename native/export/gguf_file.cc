#include "export/gguf_file.h"

#include <bit>
#include <cstring>
#include <set>

#include "file/durable_file.h"

namespace signum {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

constexpr uint64_t kAlignment = 32;  // general.alignment when the key is absent
enum ValueType : uint32_t { kUint32 = 4, kInt32 = 5, kFloat32 = 6, kBool = 7, kString = 8, kArray = 9 };

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, uint64_t(text.size()));
  out += text;
}

template <class T>
void put_array(std::string& out, uint32_t type, const std::vector<T>& values) {
  put(out, type);
  put(out, uint64_t(values.size()));
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

constexpr uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Everything before the first tensor's bytes, padded.
Result<std::string> header(const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
  std::string out = "GGUF";
  put(out, uint32_t(3));
  put(out, uint64_t(tensors.size()));
  put(out, metadata.count());
  out += metadata.bytes();
  uint64_t at = 0;
  std::set<std::string_view> names;
  for (const GgufTensor& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      return Error{"internal", "Tensor " + tensor.name + " would be written twice.", ""};
    put_text(out, tensor.name);
    put(out, uint32_t(tensor.rows == 0 ? 1 : 2));
    put(out, uint64_t(tensor.columns));  // the fastest dimension first
    if (tensor.rows > 0) put(out, uint64_t(tensor.rows));
    put(out, uint32_t(tensor.type));
    put(out, at);
    at += aligned(tensor.bytes());
  }
  out.resize(aligned(out.size()), '\0');
  return out;
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Appends the rows in the type's form; what a row has is a whole number of blocks.
void encode(GgufType type, ConstView rows, std::string& out) {
  switch (type) {
    case GgufType::F32:
      for (size_t i = 0; i < rows.rows; ++i)
        out.append(reinterpret_cast<const char*>(rows.row(i)), rows.columns * sizeof(float));
  }
}

}  // namespace

GgufTypeTraits gguf_traits(GgufType type) {
  switch (type) {
    case GgufType::F32:
      return {.file_type = 0, .block = 1, .bytes = 4};
  }
  return {};
}

uint64_t GgufTensor::bytes() const {
  const GgufTypeTraits traits = gguf_traits(type);
  return elements() / traits.block * traits.bytes;
}

void GgufMetadata::key(std::string_view name, uint32_t type) {
  ++count_;
  put_text(bytes_, name);
  put(bytes_, type);
}
void GgufMetadata::add(std::string_view name, uint32_t value) {
  key(name, kUint32);
  put(bytes_, value);
}
void GgufMetadata::add(std::string_view name, float value) {
  key(name, kFloat32);
  put(bytes_, value);
}
void GgufMetadata::add(std::string_view name, bool value) {
  key(name, kBool);
  put(bytes_, uint8_t(value));
}
void GgufMetadata::add(std::string_view name, std::string_view value) {
  key(name, kString);
  put_text(bytes_, value);
}
void GgufMetadata::add(std::string_view name, const std::vector<std::string>& values) {
  key(name, kArray);
  put(bytes_, uint32_t(kString));
  put(bytes_, uint64_t(values.size()));
  for (const std::string& value : values) put_text(bytes_, value);
}
void GgufMetadata::add(std::string_view name, const std::vector<float>& values) {
  key(name, kArray);
  put_array(bytes_, kFloat32, values);
}
void GgufMetadata::add(std::string_view name, const std::vector<int32_t>& values) {
  key(name, kArray);
  put_array(bytes_, kInt32, values);
}

Result<uint64_t> write_gguf(const std::string& path, const GgufMetadata& metadata,
                            const std::vector<GgufTensor>& tensors, const WriteProgress& progress) {
  SIGNUM_TAKE(const std::string head, header(metadata, tensors));
  uint64_t total = 0;
  for (const GgufTensor& tensor : tensors) total += aligned(tensor.bytes());
  SIGNUM_TAKE(DurableFile file, DurableFile::create(path, head.size() + total));
  SIGNUM_TRY(file.write(bytes_of(head)));
  uint64_t done = 0;
  std::string encoded;
  for (const GgufTensor& tensor : tensors) {
    uint64_t written = 0;
    SIGNUM_TRY(tensor.produce([&](ConstView rows) -> Status {
      encoded.clear();
      encode(tensor.type, rows, encoded);
      written += encoded.size();
      SIGNUM_TRY(file.write(bytes_of(encoded)));
      return progress(done + written, total);
    }));
    if (written != tensor.bytes())
      return Error{"internal", "Tensor " + tensor.name + " has not the bytes that its shape needs.", ""};
    encoded.assign(aligned(written) - written, '\0');
    SIGNUM_TRY(file.write(bytes_of(encoded)));
    done += aligned(written);
  }
  SIGNUM_TRY(progress(total, total));
  SIGNUM_TRY(file.commit());
  return head.size() + total;
}

}  // namespace signum
