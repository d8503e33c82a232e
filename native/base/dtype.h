// Element types as safetensors names them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace signum {

enum class DType : uint8_t { F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, Bool };

constexpr std::string_view dtype_name(DType type) {
  constexpr std::string_view names[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16",
                                        "I8",  "U64", "U32", "U16",  "U8",  "BOOL"};
  return names[size_t(type)];
}
constexpr size_t dtype_bytes(DType type) {
  constexpr size_t bytes[] = {8, 4, 2, 2, 8, 4, 2, 1, 8, 4, 2, 1, 1};
  return bytes[size_t(type)];
}
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (uint8_t i = 0; i <= uint8_t(DType::Bool); ++i)
    if (dtype_name(DType(i)) == name) return DType(i);
  return std::nullopt;
}

}  // namespace signum
