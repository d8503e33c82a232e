// Rotary position embedding: the angles.
#pragma once

#include <cstddef>

#include "base/matrix.h"

namespace signum {

// Frequencies theta^(-2i / head_dim), and how they are stretched for longer texts.
struct Rope {
  enum class Scaling { None, Linear, Llama3 };

  double theta = 0;
  Scaling scaling = Scaling::None;
  double factor = 1;             // Linear: every frequency is divided by it; Llama3: the low ones
  double low_factor = 1;         // Llama3: wavelengths above trained / low_factor are stretched by factor,
  double high_factor = 4;        // those below trained / high_factor are kept, those between go over smoothly
  double trained_length = 8192;  // Llama3

  bool operator==(const Rope&) const = default;
};

// cos and sin of position * frequency, [length, head_dim / 2] each. Frequencies and angles are rounded to F32
// as transformers does, so that long positions turn by the angle the model was trained with.
struct RotaryTable {
  Matrix cosine;
  Matrix sine;
};
RotaryTable rotary_table(size_t length, size_t head_dim, const Rope& rope);

}  // namespace signum
