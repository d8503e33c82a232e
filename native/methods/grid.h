// The asymmetric integer grid of RTN and GPTQ (arXiv 2210.17323): range widened to 0, step = range / (2^bits
// - 1).
#pragma once

#include <cmath>

#include "methods/stored.h"

namespace signum {

struct Grid {
  float step = 1;  // as stored
  float zero = 0;  // code of the value 0, an integer in 0 .. levels
};

// least <= 0 <= most. levels = 2^bits - 1. An all-zero group has the range [-1, 1].
inline Grid make_grid(float least, float most, float levels, DType scale_type) {
  if (least == 0 && most == 0) {
    least = -1;
    most = 1;
  }
  Grid grid;
  grid.step = stored_value(scale_type, (most - least) / levels);
  if (!(grid.step > 0))
    grid.step = stored_value(scale_type, scale_type == DType::F16 ? 0x1p-24f : 0x1p-126f);  // underflow
  grid.zero = std::min(std::max(std::nearbyint(-least / grid.step), 0.0f), levels);
  return grid;
}

// Writes codes of 1 to 8 bits into one row of the code tensor, least significant bit first.
inline void put_code(uint8_t* row, size_t column, int bits, uint32_t code) {
  const size_t bit = column * size_t(bits);
  row[bit >> 3] |= uint8_t(code << (bit & 7));
  if ((bit & 7) + size_t(bits) > 8) row[(bit >> 3) + 1] |= uint8_t(code >> (8 - (bit & 7)));
}

}  // namespace signum
