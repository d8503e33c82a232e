// Kernels that lay uploaded tensors out as packed_on_card.h says.
#pragma once

#include "cuda/kernels/packed_on_card.h"
#include "cuda/runtime.h"

namespace signum::cuda {

// Where the columns of a plane are stored and where they go.
struct PlaneShape {
  size_t rows = 0, row_bytes = 0;  // stored
  uint32_t columns = 0, bits = 1;  // of a row; bits of a column
  uint32_t group = 0;              // columns that begin at a word of their own
  uint32_t group_words = 0, words = 0;
};

// stored [rows, row_bytes] -> out [tiles][words * bits][32]
void lay_bits(Device& device, const uint8_t* stored, const PlaneShape& shape, uint32_t* out);
// stored [slots, rows, groups] of `width` bytes -> out [slots][groups][padded], 0 beyond the rows.
void lay_scalars(Device& device, const void* stored, size_t slots, size_t rows, size_t groups, size_t width,
                 size_t padded, void* out);
// The salient weights of pb-llm from Elias-Fano code to a plane. starts [rows + 1], zeros: bits of a row of
// `high` that are none; out [tiles][words][32] of zeros.
void lay_mask(Device& device, const uint8_t* high, const uint8_t* low, unsigned low_bits, size_t zeros,
              const uint64_t* starts, const PlaneShape& shape, uint32_t* out);
// rank [words / 8, rounded up][padded]: set bits of the plane before every eighth word, and starts[row].
void count_ranks(Device& device, BitsOnCard mask, const uint64_t* starts, size_t rows, size_t padded,
                 uint32_t* rank);

}  // namespace signum::cuda
