#include "cuda/model/device_weight.h"

#include <algorithm>

#include "cuda/kernels/decode.h"
#include "cuda/kernels/stored_product.h"
#include "cuda/math/elementwise.h"
#include "cuda/model/row_kernels.h"
#include "model/mapped_matrix.h"

namespace signum::cuda {
namespace {

constexpr size_t kLookUp = 32768;  // rows of a packed table at once: a grid has no more than 65,535 down

}  // namespace

DeviceWeight::DeviceWeight(Device& device, DType dtype, size_t rows, size_t columns, const char* what) {
  if (dtype == DType::F32)
    held_ = DeviceMatrix(device, rows, columns, what);
  else
    held_ = Halves{dtype, rows, columns, Array<uint16_t>(device, rows * columns, what)};
}

DeviceWeight DeviceWeight::of(Card card, const TensorView& tensor, const char* what) {
  DeviceWeight weight(card.device, tensor.dtype, tensor.shape[0], tensor.shape[1], what);
  card.device.upload(weight.data(), tensor.bytes.data(), tensor.bytes.size());
  card.device.stream().wait();
  return weight;
}

DeviceWeight DeviceWeight::of(Card card, const std::string& name, const PackedView& packed, const char* what,
                              ThreadPool& pool) {
  taken(MappedMatrix::of(name, packed, pool));  // its checks
  DeviceWeight weight;
  weight.held_ = DevicePacked::upload(card, packed, what);
  return weight;
}

size_t DeviceWeight::rows() const {
  if (halves()) return halves()->rows;
  return packed() ? packed()->rows() : std::get<DeviceMatrix>(held_).rows();
}
size_t DeviceWeight::columns() const {
  if (halves()) return halves()->columns;
  return packed() ? packed()->columns() : std::get<DeviceMatrix>(held_).columns();
}
uint64_t DeviceWeight::bytes() const {
  return packed() ? packed()->bytes() : uint64_t(rows()) * columns() * dtype_bytes(dtype());
}
void* DeviceWeight::data() const {
  if (packed()) return nullptr;
  return halves() ? static_cast<void*>(halves()->bits.data()) : std::get<DeviceMatrix>(held_).data();
}

DeviceMatrix DeviceWeight::widened(Card card, const char* what) const {
  if (packed()) return decode(card, *packed());
  DeviceMatrix made(card.device, rows(), columns(), what);
  if (halves())
    widen(card.device, halves()->bits.data(), made.size(), dtype() == DType::F16, made.data());
  else
    card.device.copy(made.data(), data(), bytes());
  return made;
}

void DeviceWeight::multiply(Card card, ProductRoom& room, DeviceView<const float> x, float beta,
                            DeviceView<float> out) const {
  if (packed())
    cuda::multiply(card, room, *packed(), x.data, x.rows, beta, out.data, out.stride);
  else
    cuda::multiply(card, StoredOnCard{dtype(), data(), rows(), columns()}, x.data, x.rows, beta, out.data,
                   out.stride);
}

void DeviceWeight::look_up(Card card, const uint32_t* ids, DeviceView<float> out) const {
  if (!packed()) return gather_rows(card.device, data(), dtype(), ids, out);
  for (size_t first = 0; first < out.rows; first += kLookUp)
    cuda::look_up(card.device, *packed(), ids + first, std::min(kLookUp, out.rows - first),
                  out.data + first * out.stride);
}

}  // namespace signum::cuda
