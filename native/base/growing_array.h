// Numbers that are kept between calls: new memory would have to be asked of the system every time.
#pragma once

#include "base/matrix.h"

namespace signum {

class GrowingArray {
 public:
  // Room for `count` numbers, whatever they are: what was in it is lost where it grows.
  float* room(size_t count) {
    if (count > capacity_) {
      data_.reset();
      data_ = aligned_array<float>(count);
      capacity_ = count;
    }
    return data_.get();
  }
  View view(size_t rows, size_t columns) { return {room(rows * columns), rows, columns, columns}; }

 private:
  std::unique_ptr<float[], AlignedFree> data_;
  size_t capacity_ = 0;
};

}  // namespace signum
