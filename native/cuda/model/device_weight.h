// A weight matrix on the card as it is stored: F16 and BF16 keep their 16 bits, packed ones their planes.
#pragma once

#include <memory>
#include <variant>

#include "cuda/card.h"
#include "cuda/kernels/decode.h"
#include "cuda/kernels/product.h"
#include "cuda/math/elementwise.h"
#include "cuda/matrix.h"

namespace signum {
class ThreadPool;
}

namespace signum::cuda {

class DeviceWeight {
 public:
  DeviceWeight() = default;
  DeviceWeight(DeviceMatrix matrix) : held_(std::move(matrix)) {}
  // Not initialized. dtype: F16, BF16 or F32.
  DeviceWeight(Device& device, DType dtype, size_t rows, size_t columns, const char* what) {
    if (dtype == DType::F32)
      held_ = DeviceMatrix(device, rows, columns, what);
    else
      held_ = Halves{dtype, rows, columns, Array<uint16_t>(device, rows * columns, what)};
  }

  // Those of one layer may share a room.
  DeviceWeight(DevicePacked packed, std::shared_ptr<ProductRoom> room)
      : held_(Packed{std::move(packed), std::move(room)}) {}

  // F32 where it is packed: what it decodes to.
  DType dtype() const { return halves() ? halves()->dtype : DType::F32; }
  size_t rows() const {
    return visit([](const auto& held) { return rows_of(held); });
  }
  size_t columns() const {
    return visit([](const auto& held) { return columns_of(held); });
  }
  // On the card.
  uint64_t bytes() const {
    return packed() ? packed()->linear.bytes() : uint64_t(rows()) * columns() * dtype_bytes(dtype());
  }
  // Of a matrix that is not packed; null where it is.
  void* data() const {
    if (packed()) return nullptr;
    return halves() ? static_cast<void*>(halves()->bits.data()) : std::get<DeviceMatrix>(held_).data();
  }
  const DevicePacked* packed_linear() const { return packed() ? &packed()->linear : nullptr; }
  explicit operator bool() const { return packed() || data(); }

  // In F32.
  DeviceMatrix widened(Card card, const char* what) const {
    if (packed()) return decode(card, packed()->linear);
    DeviceMatrix made(card.device, rows(), columns(), what);
    if (halves())
      widen(card.device, halves()->bits.data(), made.size(), dtype() == DType::F16, made.data());
    else
      card.device.copy(made.data(), data(), bytes());
    return made;
  }
  // out [tokens, rows] = beta * out + x W^T. x [tokens, columns], without gaps.
  void multiply(Card card, DeviceView<const float> x, float beta, DeviceView<float> out) const {
    if (packed())
      cuda::multiply(card, *packed()->room, packed()->linear, x.data, x.rows, beta, out.data, out.stride);
    else
      card.blas.times_stored(x.data, x.rows, x.columns, data(), dtype(), rows(), beta, out.data, out.stride);
  }

 private:
  struct Halves {
    DType dtype;
    size_t rows, columns;
    Array<uint16_t> bits;
  };
  struct Packed {
    DevicePacked linear;
    std::shared_ptr<ProductRoom> room;
  };
  static size_t rows_of(const DeviceMatrix& held) { return held.rows(); }
  static size_t rows_of(const Halves& held) { return held.rows; }
  static size_t rows_of(const Packed& held) { return held.linear.rows(); }
  static size_t columns_of(const DeviceMatrix& held) { return held.columns(); }
  static size_t columns_of(const Halves& held) { return held.columns; }
  static size_t columns_of(const Packed& held) { return held.linear.columns(); }
  template <class Use>
  size_t visit(const Use& use) const {
    return std::visit(use, held_);
  }
  const Halves* halves() const { return std::get_if<Halves>(&held_); }
  const Packed* packed() const { return std::get_if<Packed>(&held_); }

  std::variant<DeviceMatrix, Halves, Packed> held_;
};

// A packed matrix of a model, checked: name for the errors weights_not_finite, packed_broken.
DeviceWeight packed_weight_on_card(Card card, const std::string& name, const PackedView& view,
                                   std::shared_ptr<ProductRoom> room, ThreadPool& pool);

}  // namespace signum::cuda
