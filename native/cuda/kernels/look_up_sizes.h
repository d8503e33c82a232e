// How much the tables of a product straight from planes hold.
#pragma once

#include "cuda/kernels/packed_on_card.h"

namespace signum::cuda {

inline constexpr unsigned kNibbles = kWord / 4;      // tables of a word
inline constexpr unsigned kEntries = 16 * kNibbles;  // of the tables of a word

}  // namespace signum::cuda
