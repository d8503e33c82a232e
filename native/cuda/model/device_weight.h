// A weight matrix on the card as it is stored: F16 and BF16 keep their 16 bits.
#pragma once

#include <variant>

#include "cuda/card.h"
#include "cuda/math/elementwise.h"
#include "cuda/matrix.h"

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

  DType dtype() const { return halves() ? halves()->dtype : DType::F32; }
  size_t rows() const { return halves() ? halves()->rows : matrix().rows(); }
  size_t columns() const { return halves() ? halves()->columns : matrix().columns(); }
  size_t bytes() const { return rows() * columns() * dtype_bytes(dtype()); }
  void* data() const {
    return halves() ? static_cast<void*>(halves()->bits.data()) : static_cast<void*>(matrix().data());
  }
  explicit operator bool() const { return data() != nullptr; }

  // In F32.
  DeviceMatrix widened(Device& device, const char* what) const {
    DeviceMatrix made(device, rows(), columns(), what);
    if (halves())
      widen(device, halves()->bits.data(), made.size(), dtype() == DType::F16, made.data());
    else
      device.copy(made.data(), data(), bytes());
    return made;
  }
  // out [tokens, rows] = beta * out + x W^T. x [tokens, columns], without gaps.
  void multiply(Blas& blas, DeviceView<const float> x, float beta, DeviceView<float> out) const {
    blas.times_stored(x.data, x.rows, x.columns, data(), dtype(), rows(), beta, out.data, out.stride);
  }

 private:
  struct Halves {
    DType dtype;
    size_t rows, columns;
    Array<uint16_t> bits;
  };
  const Halves* halves() const { return std::get_if<Halves>(&held_); }
  const DeviceMatrix& matrix() const { return std::get<DeviceMatrix>(held_); }

  std::variant<DeviceMatrix, Halves> held_;
};

}  // namespace signum::cuda
