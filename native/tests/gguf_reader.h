// Reads a GGUF file back, apart from the code that writes it (but for the block types, which ggml itself
// checks in electron/exports). Numbers in metadata become doubles.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "base/half.h"
#include "export/gguf_types.h"
#include "tests/temporary_folder.h"

struct ReadTensor {
  std::vector<uint64_t> shape;  // fastest first
  uint32_t type = 0;
  uint64_t at = 0;  // in the file
  std::vector<float> values;
};

struct ReadGguf {
  using Value = std::variant<double, std::string, std::vector<double>, std::vector<std::string>>;
  std::vector<std::string> keys;  // in order
  std::map<std::string, Value> metadata;
  std::vector<std::string> names;  // in order
  std::map<std::string, ReadTensor> tensors;

  double number(const std::string& key) const { return std::get<double>(metadata.at(key)); }
  std::string text(const std::string& key) const { return std::get<std::string>(metadata.at(key)); }
  std::vector<std::string> texts(const std::string& key) const {
    return std::get<std::vector<std::string>>(metadata.at(key));
  }
  std::vector<double> numbers(const std::string& key) const {
    return std::get<std::vector<double>>(metadata.at(key));
  }
};

class GgufReader {
 public:
  explicit GgufReader(const std::string& path) : bytes_(read_bytes(path)) {}

  ReadGguf read() {
    ReadGguf file;
    if (bytes_.substr(0, 4) != "GGUF") throw std::runtime_error("no GGUF");
    at_ = 4;
    if (take<uint32_t>() != 3) throw std::runtime_error("not version 3");
    const auto tensors = take<uint64_t>(), pairs = take<uint64_t>();
    for (uint64_t i = 0; i < pairs; ++i) {
      file.keys.push_back(text());
      file.metadata[file.keys.back()] = value(take<uint32_t>());
    }
    for (uint64_t i = 0; i < tensors; ++i) {
      file.names.push_back(text());
      ReadTensor& tensor = file.tensors[file.names.back()];
      tensor.shape.resize(take<uint32_t>());
      for (uint64_t& side : tensor.shape) side = take<uint64_t>();
      tensor.type = take<uint32_t>();
      tensor.at = take<uint64_t>();
    }
    const uint64_t data = (at_ + 31) / 32 * 32;
    uint64_t end = data;
    for (const std::string& name : file.names) {
      ReadTensor& tensor = file.tensors[name];
      uint64_t count = 1;
      for (const uint64_t side : tensor.shape) count *= side;
      if (tensor.at % 32 != 0) throw std::runtime_error(name + " is not aligned");
      tensor.at += data;
      if (tensor.at != end) throw std::runtime_error(name + " does not follow the one before");
      const uint64_t bytes = bytes_of(tensor.type, count);
      tensor.values = values(tensor.type, bytes_.substr(tensor.at, bytes));
      end = (tensor.at + bytes + 31) / 32 * 32;
    }
    if (end != bytes_.size()) throw std::runtime_error("the file does not end with its tensors");
    return file;
  }

 private:
  static uint64_t bytes_of(uint32_t type, uint64_t count) {
    if (type == 0) return count * 4;
    if (type == 1 || type == 30) return count * 2;
    const auto traits = signum::gguf_traits(signum::GgufType(type));
    return count / traits.block * traits.bytes;
  }
  static std::vector<float> values(uint32_t type, const std::string& bytes) {
    std::vector<float> values;
    if (type == 0) {
      values.resize(bytes.size() / 4);
      std::memcpy(values.data(), bytes.data(), bytes.size());
      return values;
    }
    if (type != 1 && type != 30) {
      const auto traits = signum::gguf_traits(signum::GgufType(type));
      values.resize(bytes.size() / traits.bytes * traits.block);
      signum::gguf_decode(traits.type, reinterpret_cast<const uint8_t*>(bytes.data()), values.size(),
                          values.data());
      return values;
    }
    for (size_t i = 0; i < bytes.size(); i += 2) {
      uint16_t stored;
      std::memcpy(&stored, bytes.data() + i, 2);
      values.push_back(type == 1 ? signum::half_to_float(stored) : signum::bfloat_to_float(stored));
    }
    return values;
  }
  template <class T>
  T take() {
    T value;
    std::memcpy(&value, bytes_.substr(at_, sizeof value).data(), sizeof value);
    at_ += sizeof value;
    return value;
  }
  std::string text() {
    const auto length = take<uint64_t>();
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }
  double number(uint32_t type) {
    if (type == 4) return take<uint32_t>();
    if (type == 5) return take<int32_t>();
    if (type == 6) return take<float>();
    if (type == 7) return take<uint8_t>();
    throw std::runtime_error("type " + std::to_string(type));
  }
  ReadGguf::Value value(uint32_t type) {
    if (type == 8) return text();
    if (type != 9) return number(type);
    const auto inner = take<uint32_t>();
    const auto count = take<uint64_t>();
    std::vector<std::string> texts;
    std::vector<double> numbers;
    for (uint64_t i = 0; i < count; ++i)
      if (inner == 8)
        texts.push_back(text());
      else
        numbers.push_back(number(inner));
    if (inner == 8) return texts;
    return numbers;
  }

  std::string bytes_;
  size_t at_ = 0;
};
