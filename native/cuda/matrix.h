// F32 matrices on the card, row-major, without gaps.
#pragma once

#include "base/matrix.h"
#include "cuda/runtime.h"

namespace signum::cuda {

class DeviceMatrix {
 public:
  DeviceMatrix() = default;
  // Not initialized.
  DeviceMatrix(Device& device, size_t rows, size_t columns, const char* what)
      : rows_(rows), columns_(columns), array_(device, rows * columns, what) {}
  // A copy of a host matrix. Waits, so that the host's may go.
  static DeviceMatrix of(Device& device, ConstView from, const char* what) {
    DeviceMatrix made(device, from.rows, from.columns, what);
    if (from.stride == from.columns) {
      device.upload(made.data(), from.data, made.array_.bytes());
      device.stream().wait();
    } else {
      const Matrix dense = Matrix::copy_of(from);
      device.upload(made.data(), dense.data(), made.array_.bytes());
      device.stream().wait();
    }
    return made;
  }

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t size() const { return rows_ * columns_; }
  float* data() const { return array_.data(); }
  float* row(size_t r) const { return data() + r * columns_; }
  DeviceView<float> view() const { return {data(), rows_, columns_, columns_}; }
  explicit operator bool() const { return bool(array_); }
  Matrix download(Device& device) const {
    Matrix out = Matrix::uninitialized(rows_, columns_);
    device.download(out.data(), data(), array_.bytes());
    return out;
  }

 private:
  size_t rows_ = 0, columns_ = 0;
  Array<float> array_;
};

}  // namespace signum::cuda
