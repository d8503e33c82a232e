// Codes of 1 to 8 bits one after another, least significant bit first, without a pause between rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/pool.h"

namespace signum {

inline size_t bytes_of_bits(size_t bits) { return (bits + 7) / 8; }

// Writes code `index` into zeroed bytes.
inline void put_code(uint8_t* bytes, size_t index, size_t bits, uint32_t code) {
  const size_t bit = index * bits;
  bytes[bit >> 3] |= uint8_t(code << (bit & 7));
  if ((bit & 7) + bits > 8) bytes[(bit >> 3) + 1] |= uint8_t(code >> (8 - (bit & 7)));
}

inline uint32_t code_at(const uint8_t* bytes, size_t index, size_t bits) {
  const size_t bit = index * bits;
  uint32_t word = bytes[bit >> 3];
  if ((bit & 7) + bits > 8) word |= uint32_t(bytes[(bit >> 3) + 1]) << 8;
  return word >> (bit & 7) & ((1u << bits) - 1);
}

// Writes code(index) for every index below count, in parallel.
template <class Code>
void put_codes(uint8_t* bytes, size_t bits, size_t count, const Code& code, ThreadPool& pool) {
  constexpr size_t kChunk = 1 << 14;  // a multiple of 8 codes begins at a byte
  pool.parallel_for((count + kChunk - 1) / kChunk, [&](size_t chunk) {
    for (size_t k = chunk * kChunk; k < std::min(count, (chunk + 1) * kChunk); ++k)
      put_code(bytes, k, bits, code(k));
  });
}

}  // namespace signum
