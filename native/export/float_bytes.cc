#include "export/float_bytes.h"

#include <cstring>

#include "base/half.h"

namespace signum {

Status to_float_bytes(DType type, ConstView rows, const std::string& name, std::vector<uint8_t>& out) {
  out.resize(rows.rows * rows.columns * dtype_bytes(type));
  uint8_t* to = out.data();
  const uint16_t infinite = type == DType::F16 ? 0x7C00 : 0x7F80;
  for (size_t i = 0; i < rows.rows; ++i) {
    const float* row = rows.row(i);
    if (type == DType::F32) {
      std::memcpy(to, row, rows.columns * sizeof(float));
      to += rows.columns * sizeof(float);
      continue;
    }
    for (size_t j = 0; j < rows.columns; ++j, to += 2) {
      const uint16_t bits = type == DType::F16 ? float_to_half(row[j]) : float_to_bfloat(row[j]);
      if ((bits & infinite) == infinite)
        return Error{"export_unsupported",
                     "The tensor " + name + " has numbers that are too large for " +
                         std::string(dtype_name(type)) + "; the type bf16 or f32 holds them.",
                     ""};
      std::memcpy(to, &bits, 2);
    }
  }
  return {};
}

}  // namespace signum
