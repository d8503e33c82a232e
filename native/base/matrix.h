// Row-major F32 matrices: views (not owning) and owned, 64-byte aligned storage.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace signum {

// rows x columns elements at data[row * stride + column].
template <class T>
struct BasicView {
  T* data = nullptr;
  size_t rows = 0;
  size_t columns = 0;
  size_t stride = 0;

  T* row(size_t r) const { return data + r * stride; }
  T& operator()(size_t r, size_t c) const { return data[r * stride + c]; }
  BasicView block(size_t r, size_t c, size_t rows_, size_t columns_) const {
    return {data + r * stride + c, rows_, columns_, stride};
  }
  operator BasicView<const T>() const requires(!std::is_const_v<T>) { return {data, rows, columns, stride}; }
};
using View = BasicView<float>;
using ConstView = BasicView<const float>;

struct AlignedFree {
  void operator()(void* p) const { std::free(p); }
};

// Uninitialized 64-byte aligned array of count elements of a trivial type.
template <class T>
std::unique_ptr<T[], AlignedFree> aligned_array(size_t count) {
  const size_t bytes = ((count * sizeof(T) + 63) / 64 + 1) * 64;
  void* p = std::aligned_alloc(64, bytes);
  if (!p) throw std::bad_alloc();
  return std::unique_ptr<T[], AlignedFree>(static_cast<T*>(p));
}

class Matrix {
 public:
  Matrix() = default;
  // Zero-filled.
  Matrix(size_t rows, size_t columns)
      : rows_(rows), columns_(columns), data_(aligned_array<float>(rows * columns)) {
    std::memset(data_.get(), 0, rows * columns * sizeof(float));
  }
  static Matrix uninitialized(size_t rows, size_t columns) {
    Matrix m;
    m.rows_ = rows;
    m.columns_ = columns;
    m.data_ = aligned_array<float>(rows * columns);
    return m;
  }
  static Matrix copy_of(ConstView v) {
    Matrix m = uninitialized(v.rows, v.columns);
    for (size_t r = 0; r < v.rows; ++r) std::memcpy(m.row(r), v.row(r), v.columns * sizeof(float));
    return m;
  }
  Matrix clone() const { return copy_of(view()); }

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t size() const { return rows_ * columns_; }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  float* row(size_t r) { return data_.get() + r * columns_; }
  const float* row(size_t r) const { return data_.get() + r * columns_; }
  float& operator()(size_t r, size_t c) { return row(r)[c]; }
  float operator()(size_t r, size_t c) const { return row(r)[c]; }
  View view() { return {data_.get(), rows_, columns_, columns_}; }
  ConstView view() const { return {data_.get(), rows_, columns_, columns_}; }

 private:
  size_t rows_ = 0;
  size_t columns_ = 0;
  std::unique_ptr<float[], AlignedFree> data_;
};

}  // namespace signum
