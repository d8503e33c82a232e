#include <algorithm>

#include "cuda/math/planes.h"
#include "cuda/math/sums.h"

namespace signum::cuda::own {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kTile = 32;

Grid along_rows(size_t rows, size_t columns) {
  return {dim3(parts(columns, kThreads), unsigned(std::min<size_t>(rows, 32768))), dim3(kThreads)};
}

__global__ void split_bfloat_kernel(DeviceView<const float> a, uint16_t* planes, size_t stride) {
  const size_t c = size_t(blockIdx.x) * kThreads + threadIdx.x;
  if (c >= a.columns) return;
  for (size_t r = blockIdx.y; r < a.rows; r += gridDim.y) {
    float rest = a.data[r * a.stride + c];
    for (size_t plane = 0; plane < 3; ++plane) {
      const uint16_t bits = to_bfloat(rest);
      planes[(plane * a.rows + r) * stride + c] = bits;
      rest -= from_bfloat(bits);
    }
  }
}

// A block for each row.
__global__ void split_half_kernel(DeviceView<const float> a, uint16_t* planes, size_t stride, float* scales) {
  __shared__ unsigned room[32];
  const size_t r = blockIdx.x;
  const float* row = a.data + r * a.stride;
  unsigned largest = 0;  // magnitudes compare as their bits do
  for (size_t c = threadIdx.x; c < a.columns; c += kThreads) {
    const unsigned bits = float_bits(row[c]) & 0x7FFFFFFFu;
    largest = bits > largest ? bits : largest;
  }
  largest = block_max(largest, room);
  // 2^(14 - exponent), as far as F32 has it and its inverse.
  const int wanted = 127 + 14 - (int(largest >> 23) - 127);
  const unsigned exponent = largest == 0 ? 127u : unsigned(wanted < 253 ? wanted : 253);
  const float scale = bits_float(exponent << 23);
  if (threadIdx.x == 0) scales[r] = bits_float((254u - exponent) << 23);
  for (size_t c = threadIdx.x; c < a.columns; c += kThreads) {
    const float x = row[c] * scale;
    const uint16_t bits = to_half(x);
    planes[r * stride + c] = bits;
    planes[(a.rows + r) * stride + c] = to_half(x - from_half(bits));
  }
}

__global__ void scale_rows_kernel(DeviceView<const float> a, const float* scales, float beta,
                                  DeviceView<float> out) {
  const size_t c = size_t(blockIdx.x) * kThreads + threadIdx.x;
  if (c >= a.columns) return;
  for (size_t r = blockIdx.y; r < a.rows; r += gridDim.y) {
    float* to = out.data + r * out.stride + c;
    const float value = scales[r] * a.data[r * a.stride + c];
    *to = beta == 0 ? value : beta * *to + value;
  }
}

// Threads 32 x 8; tiles on and below the diagonal, by way of shared memory so that both sides are read and
// written along rows.
__global__ void mirror_kernel(DeviceView<float> c) {
  __shared__ float tile[kTile][kTile + 1];
  const size_t n = c.rows, row = size_t(blockIdx.y) * kTile, column = size_t(blockIdx.x) * kTile;
  if (column > row) return;  // whole blocks
  for (unsigned i = threadIdx.y; i < kTile; i += blockDim.y)
    if (row + i < n && column + threadIdx.x < n)
      tile[i][threadIdx.x] = c.data[(row + i) * c.stride + column + threadIdx.x];
  __syncthreads();
  for (unsigned i = threadIdx.y; i < kTile; i += blockDim.y) {
    const size_t to_row = column + i, to_column = row + threadIdx.x;
    if (to_row < to_column && to_column < n) c.data[to_row * c.stride + to_column] = tile[threadIdx.x][i];
  }
}

}  // namespace

void split_bfloat(Device& device, DeviceView<const float> a, uint16_t* planes) {
  launch(device, split_bfloat_kernel, along_rows(a.rows, a.columns), a, planes, plane_stride(a.columns));
}
void split_half(Device& device, DeviceView<const float> a, uint16_t* planes, float* scales) {
  launch(device, split_half_kernel, Grid{dim3(unsigned(a.rows)), dim3(kThreads)}, a, planes,
         plane_stride(a.columns), scales);
}
void scale_rows(Device& device, DeviceView<const float> a, const float* scales, float beta,
                DeviceView<float> out) {
  launch(device, scale_rows_kernel, along_rows(a.rows, a.columns), a, scales, beta, out);
}
void mirror_lower(Device& device, DeviceView<float> c) {
  const unsigned tiles = parts(c.rows, kTile);
  launch(device, mirror_kernel, Grid{dim3(tiles, tiles), dim3(kTile, 8)}, c);
}

}  // namespace signum::cuda::own
