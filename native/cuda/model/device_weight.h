// A weight matrix on the card as it is stored: F16 and BF16 keep their 16 bits, packed ones their planes. It
// is multiplied as it is (model/mapped_matrix.h).
#pragma once

#include <string>
#include <variant>

#include "cuda/card.h"
#include "cuda/kernels/product.h"
#include "cuda/matrix.h"
#include "file/safetensors.h"

namespace signum {
class ThreadPool;
}

namespace signum::cuda {

class DeviceWeight {
 public:
  DeviceWeight() = default;
  DeviceWeight(DeviceMatrix matrix) : held_(std::move(matrix)) {}
  // Not initialized. dtype: F16, BF16 or F32.
  DeviceWeight(Device& device, DType dtype, size_t rows, size_t columns, const char* what);
  // A stored [rows, columns] tensor of these types. Waits; its values are not looked at.
  static DeviceWeight of(Card card, const TensorView& tensor, const char* what);
  // A packed one, checked. name: for the errors weights_not_finite, packed_broken.
  static DeviceWeight of(Card card, const std::string& name, const PackedView& packed, const char* what,
                         ThreadPool& pool);

  // F32 where it is packed: what it decodes to.
  DType dtype() const { return halves() ? halves()->dtype : DType::F32; }
  size_t rows() const;
  size_t columns() const;
  // On the card.
  uint64_t bytes() const;
  // Of a matrix that is not packed; null where it is.
  void* data() const;
  explicit operator bool() const { return packed() || data(); }

  // In F32.
  DeviceMatrix widened(Card card, const char* what) const;
  // out [tokens, rows] = beta * out + x W^T. x [tokens, columns], without gaps. Up to 8 tokens take no room
  // but what a packed one's product wants of `room`, and no library.
  void multiply(Card card, ProductRoom& room, DeviceView<const float> x, float beta,
                DeviceView<float> out) const;
  // out's row i = row ids[i] in F32. ids on the card; out without gaps.
  void look_up(Card card, const uint32_t* ids, DeviceView<float> out) const;

 private:
  struct Halves {
    DType dtype;
    size_t rows, columns;
    Array<uint16_t> bits;
  };
  const Halves* halves() const { return std::get_if<Halves>(&held_); }
  const DevicePacked* packed() const { return std::get_if<DevicePacked>(&held_); }

  std::variant<DeviceMatrix, Halves, DevicePacked> held_;
};

}  // namespace signum::cuda
