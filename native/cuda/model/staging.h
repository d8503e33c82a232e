// Host memory that copies to and from the card run beside the work from.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/runtime.h"

namespace signum::cuda {

// Grows to what was asked for; page-locked where the machine has room for that, else as other memory.
class Staging {
 public:
  explicit Staging(Device& device) : device_(device) {}
  ~Staging() { release(); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // What was in it is lost when it grows. No copy may be on its way.
  uint8_t* room(size_t bytes) {
    if (size_ >= bytes) return data_;
    release();
    try {
      data_ = static_cast<uint8_t*>(device_.allocate_pinned(bytes));
    } catch (const Fault&) {
      plain_.resize(bytes);
      data_ = plain_.data();
    }
    size_ = bytes;
    return data_;
  }
  uint8_t* data() const { return data_; }

 private:
  void release() {
    if (data_ && plain_.empty()) device_.release_pinned(data_);
    plain_ = {};
    data_ = nullptr;
    size_ = 0;
  }
  Device& device_;
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  std::vector<uint8_t> plain_;
};

}  // namespace signum::cuda
