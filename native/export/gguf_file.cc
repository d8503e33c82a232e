#include "export/gguf_file.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <set>

#include "base/pool.h"
#include "export/read_back.h"
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

// Rows in their type, some at a time: encoded in parallel, and back.
class Rows {
 public:
  Rows(const GgufTensor& tensor, ThreadPool& pool)
      : tensor_(tensor), traits_(gguf_traits(tensor.type)), pool_(pool) {}

  // Valid until the next call.
  Result<std::span<const uint8_t>> encode(ConstView rows) {
    const size_t row_bytes = bytes_of_row(rows);
    bytes_.resize(rows.rows * row_bytes);
    std::atomic<bool> fits = true;
    in_bands(rows.rows, [&](size_t i) {
      if (!gguf_encode(tensor_.type, rows.row(i), rows.columns, &bytes_[i * row_bytes])) fits = false;
    });
    if (fits) return std::span<const uint8_t>(bytes_);
    return Error{"export_unsupported",
                 "The tensor " + tensor_.name + " has numbers that are too large for " + traits_.name +
                     "; the type bf16 or f32 holds them.",
                 ""};
  }

  // Adds to the error; false when a number is further from the one that was meant than the type's rounding.
  bool compare(ConstView rows, std::span<const uint8_t> bytes, RoundingError& error) {
    const size_t row_bytes = bytes_of_row(rows);
    std::vector<RoundingError> errors(rows.rows);
    std::atomic<bool> near = true;
    in_bands(rows.rows, [&](size_t i) {
      std::vector<float> stored(rows.columns);
      gguf_decode(tensor_.type, &bytes[i * row_bytes], rows.columns, stored.data());
      errors[i].add(rows.row(i), stored.data(), rows.columns);
      if (tensor_.exact ? !errors[i].exact()
                        : !gguf_near(tensor_.type, rows.row(i), stored.data(), rows.columns))
        near = false;
    });
    for (const RoundingError& one : errors) error.add(one);
    return near;
  }

 private:
  size_t bytes_of_row(ConstView rows) const { return rows.columns / traits_.block * traits_.bytes; }
  void in_bands(size_t rows, const std::function<void(size_t)>& row) {
    constexpr size_t kBand = 16;
    pool_.parallel_for((rows + kBand - 1) / kBand, [&](size_t band) {
      for (size_t i = band * kBand; i < std::min(rows, (band + 1) * kBand); ++i) row(i);
    });
  }

  const GgufTensor& tensor_;
  const GgufTypeTraits& traits_;
  ThreadPool& pool_;
  std::vector<uint8_t> bytes_;
};

struct Layout {
  std::string head;    // everything before the first tensor's bytes
  uint64_t total = 0;  // bytes after it, padding included
};

Status write_tensors(DurableFile& file, const Layout& layout, const std::vector<GgufTensor>& tensors,
                     const ExportProgress& progress, ThreadPool& pool) {
  SIGNUM_TRY(file.write(bytes_of(layout.head)));
  uint64_t done = 0;
  for (const GgufTensor& tensor : tensors) {
    Rows codec(tensor, pool);
    uint64_t written = 0;
    SIGNUM_TRY(tensor.produce([&](ConstView rows) -> Status {
      SIGNUM_TAKE(const auto bytes, codec.encode(rows));
      written += bytes.size();
      SIGNUM_TRY(file.write(bytes));
      return progress(Phase::Write, done + written, layout.total);
    }));
    if (written != tensor.bytes())
      return Error{"internal", "Tensor " + tensor.name + " has not the bytes that its shape needs.", ""};
    SIGNUM_TRY(file.write(bytes_of(std::string(aligned(written) - written, '\0'))));
    done += aligned(written);
  }
  return progress(Phase::Write, layout.total, layout.total);
}

// Every byte of the file against the model, read once more.
Result<GgufWritten> verify(const std::string& partial, const std::string& path, const Layout& layout,
                           const std::vector<GgufTensor>& tensors, const ExportProgress& progress,
                           ThreadPool& pool) {
  GgufWritten written{.bytes = layout.head.size() + layout.total, .sha256 = "", .errors = {}};
  SIGNUM_TAKE(ReadBack file, ReadBack::open(partial, path));
  SIGNUM_TAKE(const auto head, file.next(layout.head.size()));
  if (!std::ranges::equal(head, bytes_of(layout.head))) return unverified(path, "its header");
  uint64_t done = 0;
  for (const GgufTensor& tensor : tensors) {
    Rows codec(tensor, pool);
    RoundingError error;
    uint64_t read = 0;
    SIGNUM_TRY(tensor.produce([&](ConstView rows) -> Status {
      SIGNUM_TAKE(const auto meant, codec.encode(rows));
      SIGNUM_TAKE(const auto found, file.next(meant.size()));
      if (!std::ranges::equal(found, meant) || !codec.compare(rows, found, error))
        return unverified(path, "the tensor " + tensor.name);
      read += found.size();
      return progress(Phase::Verify, done + read, layout.total);
    }));
    SIGNUM_TAKE(const auto padding, file.next(aligned(read) - read));
    if (std::ranges::any_of(padding, [](uint8_t byte) { return byte != 0; }))
      return unverified(path, "what stands after the tensor " + tensor.name);
    written.errors.push_back(error);
    done += aligned(read);
  }
  SIGNUM_TAKE(written.sha256, file.end());
  SIGNUM_TRY(progress(Phase::Verify, layout.total, layout.total));
  return written;
}

}  // namespace

uint64_t GgufTensor::bytes() const {
  const GgufTypeTraits& traits = gguf_traits(type);
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

Result<GgufWritten> write_gguf(const std::string& path, const GgufMetadata& metadata,
                               const std::vector<GgufTensor>& tensors, const ExportProgress& progress,
                               ThreadPool& pool) {
  Layout layout;
  SIGNUM_TAKE(layout.head, header(metadata, tensors));
  for (const GgufTensor& tensor : tensors) layout.total += aligned(tensor.bytes());
  SIGNUM_TAKE(DurableFile file, DurableFile::create(path, layout.head.size() + layout.total));
  SIGNUM_TRY(write_tensors(file, layout, tensors, progress, pool));
  SIGNUM_TRY(file.sync());
  SIGNUM_TAKE(GgufWritten written, verify(file.partial(), path, layout, tensors, progress, pool));
  SIGNUM_TRY(file.commit());
  return written;
}

}  // namespace signum
