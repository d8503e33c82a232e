#include "export/rounding_error.h"

#include <algorithm>
#include <cmath>

namespace signum {

void RoundingError::add(const float* meant, const float* stored, size_t count) {
  values_ += count;
  for (size_t i = 0; i < count; ++i) {
    squares_ += double(meant[i]) * meant[i];
    if (meant[i] == stored[i]) {
      ++exact_;
      continue;
    }
    const double error = std::abs(double(meant[i]) - stored[i]);
    squared_error_ += error * error;
    largest_ = std::max(largest_, error);
  }
}

void RoundingError::add(const RoundingError& other) {
  values_ += other.values_;
  exact_ += other.exact_;
  squared_error_ += other.squared_error_;
  squares_ += other.squares_;
  largest_ = std::max(largest_, other.largest_);
}

double RoundingError::relative() const {
  if (squared_error_ == 0) return 0;
  return squares_ > 0 ? std::sqrt(squared_error_ / squares_) : 1;
}

}  // namespace signum
