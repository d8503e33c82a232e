// Rows of packed planes to weights, exactly as docs/FORMAT.md rounds them. `plane`: a row of bits; `first`:
// the stored column, and bit, that out[0] is of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signum::decode_kernels {

// A row of bits; null where there is none: all 0 then.
using Bits = const uint8_t*;

// out [count] = s(sign) * r(row * column); with `add` that is added to out. column [count], null for ones.
void signs(Bits sign, size_t first, size_t count, float row, const float* column, bool add, float* out);
// out [count] = level[2 * high + low].
void levels(Bits low, Bits high, size_t first, size_t count, const float level[4], float* out);
// out [count] = s(sign) * r(row[g] * column[g][j]), g = 1 - group.
void rank_one(Bits sign, Bits group, size_t first, size_t count, const float row[2],
              const float* const column[2], float* out);
// out [count] = r(scale * (code - zero)). codes [count].
void codes(const uint8_t* codes, size_t count, float scale, int zero, float* out);

}  // namespace signum::decode_kernels
