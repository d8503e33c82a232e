// From what kernels leave on the card to the tensors of a packed linear: packed there, then downloaded.
#pragma once

#include <string>

#include "cuda/runtime.h"
#include "methods/packed_linear.h"

namespace signum::cuda {

// values: as many F32 numbers as the shape says, already rounded to `type` (F16, BF16 or F32).
PackedTensor scalar_tensor(Device& device, std::string role, DType type, std::vector<size_t> shape,
                           const float* values);
// U8 tensor of the shape from as many floats that are whole numbers, 0 to 255.
PackedTensor byte_tensor(Device& device, std::string role, std::vector<size_t> shape, const float* values);

// Codes of `bits` bits, the lowest first: (codes[row * stride + k] >> shift) for k < count, every row from a
// new byte on: U8 [rows, ceil(count bits / 8)]. One bit makes a plane.
struct CodeRows {
  const uint8_t* codes;
  size_t rows, count, stride;
  unsigned bits, shift = 0;
};
PackedTensor code_tensor(Device& device, std::string role, const CodeRows& from);
// The same of one row as U8 [ceil(count bits / 8)].
PackedTensor code_stream(Device& device, std::string role, const uint8_t* codes, size_t count, unsigned bits);
PackedTensor code_stream(Device& device, std::string role, const uint32_t* codes, size_t count,
                         unsigned bits);

}  // namespace signum::cuda
