#include "model/rotary.h"

#include <cmath>
#include <numbers>

namespace signum {
namespace {

// Llama 3.1: by how many turns a frequency makes within the trained length.
float llama3(const Rope& rope, float frequency) {
  const float low = float(rope.low_factor), high = float(rope.high_factor);
  const float wavelength = float(2 * std::numbers::pi) / frequency;
  const float turns = float(rope.trained_length) / wavelength;
  if (turns < low) return frequency / float(rope.factor);
  if (turns > high) return frequency;
  const float smooth = (turns - low) / (high - low);
  return (1 - smooth) * frequency / float(rope.factor) + smooth * frequency;
}

float scaled(const Rope& rope, float frequency) {
  switch (rope.scaling) {
    case Rope::Scaling::None:
      return frequency;
    case Rope::Scaling::Linear:
      return frequency / float(rope.factor);
    case Rope::Scaling::Llama3:
      return llama3(rope, frequency);
  }
  return frequency;
}

}  // namespace

RotaryTable rotary_table(size_t length, size_t head_dim, const Rope& rope) {
  const size_t half = head_dim / 2;
  RotaryTable table{Matrix(length, half), Matrix(length, half)};
  for (size_t i = 0; i < half; ++i) {
    const float frequency = scaled(rope, float(1.0 / std::pow(rope.theta, double(2 * i) / double(head_dim))));
    for (size_t position = 0; position < length; ++position) {
      const float angle = float(position) * frequency;
      table.cosine(position, i) = float(std::cos(double(angle)));
      table.sine(position, i) = float(std::sin(double(angle)));
    }
  }
  return table;
}

}  // namespace signum
