#include "cuda/methods/packing.h"
#include "methods/bit_streams.h"

namespace signum::cuda {
namespace {

__global__ void narrow_kernel(const float* from, size_t n, bool half, uint16_t* to) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) to[i] = half ? to_half(from[i]) : to_bfloat(from[i]);
}

__global__ void bytes_kernel(const float* from, size_t n, uint8_t* to) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < n) to[i] = uint8_t(unsigned(from[i]));
}

// A thread gathers a byte of the stream.
template <class Code>
__global__ void pack_kernel(const Code* codes, size_t rows, size_t count, size_t stride, unsigned bits,
                            unsigned shift, size_t row_bytes, uint8_t* out) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rows * row_bytes) return;
  const size_t row = i / row_bytes, first = i % row_bytes * 8;
  const Code* from = codes + row * stride;
  const unsigned mask = (1u << bits) - 1;
  unsigned byte = 0;
  for (size_t k = first / bits; k < count && k * bits < first + 8; ++k) {
    const unsigned code = unsigned(from[k]) >> shift & mask;
    const size_t at = k * bits;
    byte |= at >= first ? code << (at - first) : code >> (first - at);
  }
  out[i] = uint8_t(byte);
}

template <class Code>
PackedTensor packed(Device& device, std::string role, std::vector<size_t> shape, const Code* codes,
                    size_t rows, size_t count, size_t stride, unsigned bits, unsigned shift) {
  const size_t row_bytes = bytes_of_bits(count * bits);
  PackedTensor tensor{std::move(role), DType::U8, std::move(shape), std::vector<uint8_t>(rows * row_bytes)};
  if (tensor.bytes.empty()) return tensor;
  Array<uint8_t> out(device, tensor.bytes.size(), "packed weights");
  launch(device, pack_kernel<Code>, one_each(out.size()), codes, rows, count, stride, bits, shift, row_bytes,
         out.data());
  device.download(tensor.bytes.data(), out.data(), out.size());
  return tensor;
}

size_t count_of(const std::vector<size_t>& shape) {
  size_t count = 1;
  for (const size_t side : shape) count *= side;
  return count;
}

}  // namespace

PackedTensor scalar_tensor(Device& device, std::string role, DType type, std::vector<size_t> shape,
                           const float* values) {
  const size_t count = count_of(shape);
  PackedTensor tensor{std::move(role), type, std::move(shape),
                      std::vector<uint8_t>(count * dtype_bytes(type))};
  if (count == 0) return tensor;
  if (type == DType::F32) {
    device.download(tensor.bytes.data(), values, tensor.bytes.size());
    return tensor;
  }
  Array<uint16_t> narrow(device, count, "packed scales");
  launch(device, narrow_kernel, one_each(count), values, count, type == DType::F16, narrow.data());
  device.download(tensor.bytes.data(), narrow.data(), tensor.bytes.size());
  return tensor;
}

PackedTensor byte_tensor(Device& device, std::string role, std::vector<size_t> shape, const float* values) {
  const size_t count = count_of(shape);
  PackedTensor tensor{std::move(role), DType::U8, std::move(shape), std::vector<uint8_t>(count)};
  if (count == 0) return tensor;
  Array<uint8_t> bytes(device, count, "packed zeros");
  launch(device, bytes_kernel, one_each(count), values, count, bytes.data());
  device.download(tensor.bytes.data(), bytes.data(), count);
  return tensor;
}

PackedTensor code_tensor(Device& device, std::string role, const CodeRows& from) {
  return packed(device, std::move(role), {from.rows, bytes_of_bits(from.count * from.bits)}, from.codes,
                from.rows, from.count, from.stride, from.bits, from.shift);
}
PackedTensor code_stream(Device& device, std::string role, const uint8_t* codes, size_t count,
                         unsigned bits) {
  return packed(device, std::move(role), {bytes_of_bits(count * bits)}, codes, 1, count, count, bits, 0);
}
PackedTensor code_stream(Device& device, std::string role, const uint32_t* codes, size_t count,
                         unsigned bits) {
  return packed(device, std::move(role), {bytes_of_bits(count * bits)}, codes, 1, count, count, bits, 0);
}

}  // namespace signum::cuda
