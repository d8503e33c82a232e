// 8 x 8 bits at once: from masks over rows to bytes over columns.
#pragma once

#include <cstdint>

namespace signum {

// Byte i, bit j of the input becomes byte j, bit i (Hacker's Delight 7-3).
inline uint64_t transpose_bits(uint64_t x) {
  uint64_t t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AAull;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCCull;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0ull;
  return x ^ t ^ (t << 28);
}

}  // namespace signum
