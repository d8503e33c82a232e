// Rotary position embedding: the angles.
#pragma once

#include <cstddef>

#include "base/matrix.h"

namespace signum {

// cos and sin of position * theta^(-2i / head_dim), [length, head_dim / 2] each. Frequencies and angles are
// rounded to F32 as transformers does, so that long positions turn by the angle the model was trained with.
struct RotaryTable {
  Matrix cosine;
  Matrix sine;
};
RotaryTable rotary_table(size_t length, size_t head_dim, double theta);

}  // namespace signum
