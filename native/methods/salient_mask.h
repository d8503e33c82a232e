// Where the salient weights of pb-llm lie, as docs/FORMAT.md stores it: a count per row and either a plane or
// Elias-Fano code (P. Elias 1974, R. M. Fano 1971), whichever is smaller. Its size follows from the shape and
// the number of salient weights alone.
#pragma once

#include "methods/packed_view.h"

namespace signum {

// The layout's mask_low_bits: bits of a column number that are stored as they are, 1 to kMostLowBits; 0: a
// plane.
inline constexpr size_t kMostLowBits = 8;
size_t choose_mask_low_bits(size_t rows, size_t columns, size_t salient);

// Bits of a row of mask_high beside one for each of its salient weights.
size_t high_zeros(const Layout& layout);

// The tensors of the mask; the layout has rows, columns, salient_weights and mask_low_bits.
std::vector<TensorRule> mask_rules(const Layout& layout);

// The salient weights in order of row, then column.
struct SalientPlaces {
  std::vector<size_t> starts;     // [rows + 1]: the first one of each row
  std::vector<uint32_t> columns;  // [salient weights], ascending in each row
};
std::vector<PackedTensor> store_mask(const Layout& layout, const SalientPlaces& places, ThreadPool& pool);
// The mask's tensors in memory; of plane, low and high those that the layout has.
struct MaskBytes {
  const uint8_t *counts = nullptr, *plane = nullptr, *low = nullptr, *high = nullptr;
};
MaskBytes mask_bytes(const PackedView& linear);
// [rows + 1]: SalientPlaces::starts.
std::vector<size_t> mask_starts(const Layout& layout, const uint8_t* counts);
// The columns of one row's salient weights, starts[row + 1] - starts[row] of them; false where the mask holds
// others.
bool read_mask_row(const Layout& layout, const MaskBytes& mask, const std::vector<size_t>& starts, size_t row,
                   uint32_t* columns);
// The tensors have the mask's sizes. Error packed_broken where they contradict each other.
Status check_mask(const PackedView& linear, ThreadPool& pool);

}  // namespace signum
