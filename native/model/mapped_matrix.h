// A weight matrix of a model where it is mapped, stored or packed: multiplied there, never decoded as a
// whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>

#include "base/error.h"
#include "base/matrix.h"
#include "file/safetensors.h"
#include "kernels/dense_product.h"
#include "methods/packed_view.h"

namespace signum {

class ThreadPool;

// What weights are multiplied by: as F32 matrices of their own, or where they are mapped.
enum class WeightForm : uint8_t { Decoded, Mapped };

Error weights_not_finite(const std::string& name);

// Valid as long as the file is mapped.
class MappedMatrix {
 public:
  // A stored [rows, columns] tensor of F16, BF16 or F32. Error: weights_not_finite; all of it is read once.
  static Result<MappedMatrix> of(const TensorView& tensor, ThreadPool& pool);
  // A packed one; name: for the errors weights_not_finite, packed_broken. Its planes are not read.
  static Result<MappedMatrix> of(const std::string& name, PackedView packed, ThreadPool& pool);

  size_t rows() const;
  // out [tokens, rows] = beta * out + x W^T, x [tokens, columns] (kernels/packed_product.h,
  // kernels/dense_product.h).
  void multiply(ConstView x, float beta, View out, ThreadPool& pool) const;
  // The same for several that read the same x.
  struct Part {
    const MappedMatrix* matrix;
    View out;
  };
  static void multiply(std::span<const Part> parts, ConstView x, float beta, ThreadPool& pool);

 private:
  template <class Where>
  explicit MappedMatrix(Where where) : where_(std::move(where)) {}
  std::variant<StoredMatrix, PackedView> where_;
};

}  // namespace signum
