#include "cuda/model/card_matrix.h"

#include "cuda/kernels/decode.h"
#include "cuda/model/row_kernels.h"

namespace signum::cuda {

CardMatrix CardMatrix::of(Card& card, const TensorView& tensor, const char* what) {
  Stored stored{Array<uint8_t>(card.device, tensor.bytes.size(), what), {}};
  stored.bytes.upload(tensor.bytes);
  card.device.stream().wait();
  stored.view = {tensor.dtype, stored.bytes.data(), tensor.shape[0], tensor.shape[1]};
  return CardMatrix(std::move(stored));
}

CardMatrix CardMatrix::of(Card& card, const PackedView& packed, const char* what) {
  return CardMatrix(DevicePacked::upload(card, packed, what));
}

size_t CardMatrix::rows() const {
  const auto* stored = std::get_if<Stored>(&where_);
  return stored ? stored->view.rows : std::get<DevicePacked>(where_).rows();
}

size_t CardMatrix::columns() const {
  const auto* stored = std::get_if<Stored>(&where_);
  return stored ? stored->view.columns : std::get<DevicePacked>(where_).columns();
}

uint64_t CardMatrix::bytes() const {
  const auto* stored = std::get_if<Stored>(&where_);
  return stored ? stored->bytes.bytes() : std::get<DevicePacked>(where_).bytes();
}

void CardMatrix::multiply(Card& card, ProductRoom& room, DeviceView<const float> x, float beta,
                          DeviceView<float> out) const {
  if (const auto* stored = std::get_if<Stored>(&where_))
    cuda::multiply(card, stored->view, x.data, x.rows, beta, out.data, out.stride);
  else
    cuda::multiply(card, room, std::get<DevicePacked>(where_), x.data, x.rows, beta, out.data, out.stride);
}

void CardMatrix::look_up(Card& card, const uint32_t* ids, DeviceView<float> out) const {
  if (const auto* stored = std::get_if<Stored>(&where_))
    gather_rows(card.device, stored->view.data, stored->view.dtype, ids, out);
  else
    cuda::look_up(card.device, std::get<DevicePacked>(where_), ids, out.rows, out.data);
}

}  // namespace signum::cuda
