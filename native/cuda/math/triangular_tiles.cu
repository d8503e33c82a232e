#include "cuda/math/stored_value.h"
#include "cuda/math/triangular_tiles.h"

namespace signum::cuda::own {
namespace {

constexpr unsigned kSide = kTriangle;
constexpr unsigned kThreads = 256;
constexpr unsigned kWarps = kThreads / 32;

__device__ inline float square_root(float x) { return sqrtf(x); }
__device__ inline double square_root(double x) { return sqrt(x); }

// x <- x T^-1 for a row x of kSide elements, two in each lane of a warp, T upper triangular.
template <class T>
__device__ inline void divide_row(T x[2], const T (*tile)[kSide + 1]) {
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned half = 0; half < 2; ++half)
    for (unsigned i = 0; i < 32; ++i) {
      const unsigned j = half * 32 + i;
      if (lane == i) x[half] /= tile[j][j];
      const T solved = warp_from(x[half], i);
      if (half == 0 && lane > i) x[0] = fused(-solved, tile[j][lane], x[0]);
      if (half == 0 || lane > i) x[1] = fused(-solved, tile[j][32 + lane], x[1]);
    }
}

template <class T>
__global__ void __launch_bounds__(kThreads) factor_kernel(T* a, size_t lda, unsigned n) {
  __shared__ T tile[kSide][kSide + 1];
  for (unsigned i = threadIdx.x; i < kSide * kSide; i += kThreads) {
    const unsigned r = i / kSide, c = i % kSide;
    tile[r][c] = r < n && c <= r ? a[r * lda + c] : T(0);
  }
  __syncthreads();
  const unsigned column = threadIdx.x % kSide, first_row = threadIdx.x / kSide;
  for (unsigned j = 0; j < n; ++j) {
    // Below 0 or NaN: NaN, which every element after it takes on.
    const T pivot = square_root(tile[j][j]), inverse = T(1) / pivot;
    __syncthreads();
    if (threadIdx.x == j) tile[j][j] = pivot;
    if (threadIdx.x > j && threadIdx.x < n) tile[threadIdx.x][j] *= inverse;
    __syncthreads();
    if (column > j)
      for (unsigned r = first_row; r < n; r += kThreads / kSide)
        if (r >= column) tile[r][column] = fused(-tile[r][j], tile[column][j], tile[r][column]);
    __syncthreads();
  }
  for (unsigned i = threadIdx.x; i < kSide * kSide; i += kThreads) {
    const unsigned r = i / kSide, c = i % kSide;
    // A pivot of 0 would leave infinities below it and, where nothing is, no NaN on the diagonal.
    if (r < n && c <= r) a[r * lda + c] = r == c && !(tile[r][c] > T(0)) ? T(NAN) : tile[r][c];
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    divide_kernel(const T* l, size_t ldl, unsigned n, size_t m, T* b, size_t ldb) {
  __shared__ T tile[kSide][kSide + 1];
  for (unsigned i = threadIdx.x; i < kSide * kSide; i += kThreads) {
    const unsigned r = i / kSide, c = i % kSide;
    tile[c][r] = r < n && c <= r ? l[r * ldl + c] : T(r == c);
  }
  __syncthreads();
  const unsigned lane = threadIdx.x % 32;
  const size_t row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= m) return;  // whole warps
  T* at = b + row * ldb;
  T x[2];
  for (unsigned h = 0; h < 2; ++h) x[h] = h * 32 + lane < n ? at[h * 32 + lane] : T(0);
  divide_row(x, tile);
  for (unsigned h = 0; h < 2; ++h)
    if (h * 32 + lane < n) at[h * 32 + lane] = x[h];
}

// A block of threads for each tile of every diagonal block.
__global__ void __launch_bounds__(kThreads)
    invert_kernel(DeviceView<const float> r, size_t blocksize, DeviceView<float> u) {
  __shared__ float tile[kSide][kSide + 1];
  const size_t block = size_t(blockIdx.y) * blocksize, inside = size_t(blockIdx.x) * kSide;
  const size_t block_end = block + blocksize < r.rows ? block + blocksize : r.rows;
  const size_t first = block + inside, end = first + kSide < block_end ? first + kSide : block_end;
  if (first >= end) return;  // the whole block of threads
  const unsigned n = unsigned(end - first);
  for (unsigned i = threadIdx.x; i < kSide * kSide; i += kThreads) {
    const unsigned row = i / kSide, column = i % kSide;
    tile[row][column] = row < n && column < n && row <= column
                            ? r.data[(first + row) * r.stride + first + column]
                            : float(row == column);
  }
  __syncthreads();
  const unsigned lane = threadIdx.x % 32;
  for (unsigned row = threadIdx.x / 32; row < n; row += kWarps) {
    float x[2] = {float(row == lane), float(row == 32 + lane)};
    divide_row(x, tile);
    float* to = u.data + (first + row) * u.stride;
    for (size_t c = lane; c < blocksize; c += 32) {
      const size_t own = c - inside;  // wraps around before it
      if (c < inside || own >= n) to[c] = 0;
    }
    for (unsigned h = 0; h < 2; ++h)
      if (h * 32 + lane < n) to[inside + h * 32 + lane] = x[h];
  }
}

template <class T>
__global__ void mark_kernel(const int* info, T* a, size_t lda) {
  if (threadIdx.x != 0 || *info == 0) return;
  const size_t at = *info > 0 ? size_t(*info) - 1 : 0;
  a[at * (lda + 1)] = T(NAN);
}

}  // namespace

template <class T>
void factor_tile(Device& device, size_t n, T* a, size_t lda) {
  launch(device, factor_kernel<T>, Grid{dim3(1), dim3(kThreads)}, a, lda, unsigned(n));
}
template <class T>
void divide_by_tile(Device& device, size_t m, size_t n, const T* l, size_t ldl, T* b, size_t ldb) {
  launch(device, divide_kernel<T>, Grid{dim3(parts(m, kWarps)), dim3(kThreads)}, l, ldl, unsigned(n), m, b,
         ldb);
}
template void factor_tile(Device&, size_t, float*, size_t);
template void factor_tile(Device&, size_t, double*, size_t);
template void divide_by_tile(Device&, size_t, size_t, const float*, size_t, float*, size_t);
template void divide_by_tile(Device&, size_t, size_t, const double*, size_t, double*, size_t);

template <class T>
void mark_failed(Device& device, const int* info, T* a, size_t lda) {
  launch(device, mark_kernel<T>, Grid{dim3(1), dim3(32)}, info, a, lda);
}
template void mark_failed(Device&, const int*, float*, size_t);
template void mark_failed(Device&, const int*, double*, size_t);

void invert_tiles(Device& device, DeviceView<const float> r, size_t blocksize, DeviceView<float> u) {
  launch(device, invert_kernel, Grid{dim3(parts(blocksize, kSide), parts(r.rows, blocksize)), dim3(kThreads)},
         r, blocksize, u);
}

}  // namespace signum::cuda::own
