// What a stored type adds to the numbers that a model decodes to.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signum {

class RoundingError {
 public:
  // Sums run in the order of the numbers, in F64.
  void add(const float* meant, const float* stored, size_t count);
  void add(const RoundingError& other);

  uint64_t values() const { return values_; }
  uint64_t exact_values() const { return exact_; }
  bool exact() const { return exact_ == values_; }
  // Root of the squared errors over the squares: 0 when exact. Of zeros that did not stay zero: 1.
  double relative() const;
  // The largest absolute error.
  double largest() const { return largest_; }

 private:
  uint64_t values_ = 0;
  uint64_t exact_ = 0;  // 0 and -0 are equal
  double squared_error_ = 0;
  double squares_ = 0;
  double largest_ = 0;
};

}  // namespace signum
