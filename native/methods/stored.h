// Scalars and bit planes as they are stored: rounding to the storage type, and packing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/half.h"
#include "methods/bit_transpose.h"
#include "methods/packed_linear.h"

namespace signum {

// The value that a reader of the file will see.
inline float stored_value(DType type, float value) {
  if (type == DType::F16) return half_to_float(float_to_half(value));
  if (type == DType::BF16) return bfloat_to_float(float_to_bfloat(value));
  return value;
}

// A scalar tensor under construction; set() rounds and returns the stored value.
class ScalarTensor {
 public:
  ScalarTensor(std::string role, DType type, std::vector<size_t> shape)
      : tensor_{std::move(role), type, std::move(shape), {}} {
    size_t count = 1;
    for (const size_t d : tensor_.shape) count *= d;
    tensor_.bytes.resize(count * dtype_bytes(type));
  }
  float set(size_t index, float value) {
    if (tensor_.dtype == DType::F32) {
      std::memcpy(tensor_.bytes.data() + index * 4, &value, 4);
      return value;
    }
    const uint16_t bits = tensor_.dtype == DType::F16 ? float_to_half(value) : float_to_bfloat(value);
    std::memcpy(tensor_.bytes.data() + index * 2, &bits, 2);
    return tensor_.dtype == DType::F16 ? half_to_float(bits) : bfloat_to_float(bits);
  }
  PackedTensor take() { return std::move(tensor_); }

 private:
  PackedTensor tensor_;
};

// A bit plane [rows, width] under construction. Different rows may be written by different threads.
class BitPlane {
 public:
  BitPlane(std::string role, size_t rows, size_t width)
      : row_bytes_((width + 7) / 8),
        tensor_{std::move(role), DType::U8, {rows, row_bytes_}, std::vector<uint8_t>(rows * row_bytes_)} {}
  void set(size_t row, size_t column) {
    tensor_.bytes[row * row_bytes_ + (column >> 3)] |= uint8_t(1u << (column & 7));
  }
  // Columns [column, column + width) of rows [row, row + rows), rows <= 16: bit r of masks[j] is element (row
  // + r, column + j).
  void put(size_t row, size_t rows, size_t column, const uint16_t* masks, size_t width) {
    size_t j = 0;
    for (; column % 8 == 0 && j + 8 <= width; j += 8)
      for (size_t half = 0; half < rows; half += 8) {
        uint64_t bits = 0;  // byte i = rows half .. half + 7 of column j + i
        for (size_t i = 0; i < 8; ++i) bits |= uint64_t(masks[j + i] >> half & 255) << (8 * i);
        bits = transpose_bits(bits);
        for (size_t r = half; r < std::min(rows, half + 8); ++r)
          tensor_.bytes[(row + r) * row_bytes_ + (column + j) / 8] = uint8_t(bits >> (8 * (r - half)));
      }
    for (; j < width; ++j)
      for (size_t r = 0; r < rows; ++r)
        if (masks[j] >> r & 1) set(row + r, column + j);
  }
  PackedTensor take() { return std::move(tensor_); }

 private:
  size_t row_bytes_;
  PackedTensor tensor_;
};

}  // namespace signum
