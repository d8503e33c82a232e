// A weight matrix of a model on the card, stored or packed: multiplied there, never decoded as a whole
// (model/mapped_matrix.h).
#pragma once

#include <variant>

#include "cuda/kernels/product.h"
#include "cuda/kernels/stored_product.h"
#include "file/safetensors.h"

namespace signum::cuda {

class CardMatrix {
 public:
  // A stored [rows, columns] tensor of F16, BF16 or F32, as it is. Its values have been looked at.
  static CardMatrix of(Card& card, const TensorView& tensor, const char* what);
  // packed: has passed check_view().
  static CardMatrix of(Card& card, const PackedView& packed, const char* what);

  size_t rows() const;
  size_t columns() const;
  uint64_t bytes() const;
  // out [tokens, rows] = beta * out + x W^T. x [tokens, columns] without gaps.
  void multiply(Card& card, ProductRoom& room, DeviceView<const float> x, float beta,
                DeviceView<float> out) const;
  // out's row i = row ids[i] in F32; out without gaps.
  void look_up(Card& card, const uint32_t* ids, DeviceView<float> out) const;

 private:
  struct Stored {
    Array<uint8_t> bytes;
    StoredOnCard view;
  };
  template <class Where>
  explicit CardMatrix(Where where) : where_(std::move(where)) {}
  std::variant<Stored, DevicePacked> where_;
};

}  // namespace signum::cuda
