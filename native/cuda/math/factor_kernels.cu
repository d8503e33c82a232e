#include <algorithm>

#include "cuda/math/factor_kernels.h"

namespace signum::cuda::own {
namespace {

constexpr unsigned kThreads = 128;

// Threads along the columns, blocks down the rows.
Grid along_rows(size_t rows, size_t columns) {
  return {dim3(parts(columns, kThreads), unsigned(std::min<size_t>(rows, 32768))), dim3(kThreads)};
}

__global__ void diagonal_kernel(DeviceView<const float> a, float* diagonal) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < a.rows) diagonal[i] = a.data[i * (a.stride + 1)];
}

template <class T>
__global__ void copy_reversed_kernel(DeviceView<const float> h, const float* diagonal, const uint32_t* order,
                                     T damp, T* out) {
  const size_t n = h.rows, j = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (j >= n) return;
  const size_t column = order ? order[n - 1 - j] : n - 1 - j;
  for (size_t i = blockIdx.y; i < n; i += gridDim.y) {
    if (i < j) continue;
    const size_t row = order ? order[n - 1 - i] : n - 1 - i;
    out[i * n + j] = i == j ? T(diagonal[row]) + damp : T(h.data[row * h.stride + column]);
  }
}

// Rows i and n - 1 - i trade places, and so do columns. What stands above the diagonal of L is not read.
__global__ void reverse_in_place_kernel(DeviceView<float> r) {
  const size_t n = r.rows, j = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (size_t i = blockIdx.y; i < n; i += gridDim.y) {
    float* here = r.data + i * r.stride + j;
    float* there = r.data + (n - 1 - i) * r.stride + (n - 1 - j);
    if (j < i) {
      *there = *here;
      *here = 0;
    } else if (j == i && i < n - 1 - i) {
      const float value = *there;
      *there = *here;
      *here = value;
    }
  }
}

__global__ void reverse_kernel(const double* l, DeviceView<float> r) {
  const size_t n = r.rows, j = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (size_t i = blockIdx.y; i < n; i += gridDim.y)
    r.data[i * r.stride + j] = j < i ? 0.0f : float(l[(n - 1 - i) * n + (n - 1 - j)]);
}

__global__ void positive_kernel(DeviceView<const float> r, unsigned* wrong) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  bool no = false;
  if (i < r.rows) {
    const float value = r.data[i * (r.stride + 1)];
    no = !(value > 0) || (float_bits(value) & 0x7F800000u) == 0x7F800000u;
  }
  if (warp_ballot(no) != 0 && threadIdx.x % 32 == 0) atomicOr(wrong, 1u);
}

__global__ void copy_blocks_kernel(DeviceView<const float> h, const uint32_t* order, bool identity,
                                   DeviceView<float> blocks) {
  const size_t n = blocks.rows, width = blocks.columns;
  const size_t j = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (j >= width) return;
  for (size_t i = blockIdx.y; i < n; i += gridDim.y) {
    const size_t column = i / width * width + j;
    float value = 0;
    if (identity)
      value = float(i == column);
    else if (column < n)
      value = h.data[(order ? order[i] : i) * h.stride + (order ? order[column] : column)];
    blocks.data[i * blocks.stride + j] = value;
  }
}

}  // namespace

void copy_diagonal(Device& device, DeviceView<const float> a, float* diagonal) {
  launch(device, diagonal_kernel, one_each(a.rows), a, diagonal);
}

template <class T>
void copy_reversed(Device& device, DeviceView<const float> h, const float* diagonal, const uint32_t* order,
                   T damp, T* out) {
  launch(device, copy_reversed_kernel<T>, along_rows(h.rows, h.rows), h, diagonal, order, damp, out);
}
template void copy_reversed(Device&, DeviceView<const float>, const float*, const uint32_t*, float, float*);
template void copy_reversed(Device&, DeviceView<const float>, const float*, const uint32_t*, double, double*);

void reverse_in_place(Device& device, DeviceView<float> r) {
  launch(device, reverse_in_place_kernel, along_rows(r.rows, r.rows), r);
}
void reverse(Device& device, const double* l, DeviceView<float> r) {
  launch(device, reverse_kernel, along_rows(r.rows, r.rows), l, r);
}

bool diagonal_positive(Device& device, DeviceView<const float> r) {
  Array<unsigned> wrong(device, 1, "a check");
  wrong.fill(0);
  launch(device, positive_kernel, one_each(r.rows), r, wrong.data());
  return wrong.download()[0] == 0;
}

void copy_blocks(Device& device, DeviceView<const float> h, const uint32_t* order, bool identity,
                 DeviceView<float> blocks) {
  launch(device, copy_blocks_kernel, along_rows(blocks.rows, blocks.columns), h, order, identity, blocks);
}

}  // namespace signum::cuda::own
