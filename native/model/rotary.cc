#include "model/rotary.h"

#include <cmath>

namespace signum {

RotaryTable rotary_table(size_t length, size_t head_dim, double theta) {
  const size_t half = head_dim / 2;
  RotaryTable table{Matrix(length, half), Matrix(length, half)};
  for (size_t i = 0; i < half; ++i) {
    const float frequency = float(1.0 / std::pow(theta, double(2 * i) / double(head_dim)));
    for (size_t position = 0; position < length; ++position) {
      const float angle = float(position) * frequency;
      table.cosine(position, i) = float(std::cos(double(angle)));
      table.sine(position, i) = float(std::sin(double(angle)));
    }
  }
  return table;
}

}  // namespace signum
