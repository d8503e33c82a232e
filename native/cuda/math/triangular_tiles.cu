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

// Rows of the inverse of a tile, a warp each, in F64: lane l has columns l, l + 32, ... r, u: of the tile.
template <unsigned kSlots>
__device__ inline void invert_row(DeviceView<const float> r, unsigned row, DeviceView<float> u) {
  const unsigned lane = threadIdx.x % 32, n = unsigned(r.rows);
  double x[kSlots];
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) x[s] = s * 32 + lane == row ? 1.0 : 0.0;
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) {
    if (s * 32 + 31 < row) continue;  // zero up to the diagonal
#pragma unroll 1
    for (unsigned l = 0; l < 32; ++l) {
      const unsigned k = s * 32 + l;
      if (k >= n) break;
      const float* from = r.data + k * r.stride;
      const double solved = warp_from(x[s], l) / double(from[k]);
      if (lane == l) x[s] = solved;
#pragma unroll
      for (unsigned t = s; t < kSlots; ++t) {
        const unsigned j = t * 32 + lane;
        if (j > k && j < n) x[t] = fma(-solved, double(from[j]), x[t]);
      }
    }
  }
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s)
    if (s * 32 + lane < n) u.data[row * u.stride + s * 32 + lane] = float(x[s]);
}

// A thread block for some rows of every tile of every diagonal block.
template <unsigned kSlots>
__global__ void __launch_bounds__(kThreads)
    invert_kernel(DeviceView<const float> r, size_t blocksize, DeviceView<float> u) {
  constexpr unsigned kBands = kSlots * 32 / kWarps;  // thread blocks for a tile
  const size_t block = size_t(blockIdx.y) * blocksize, inside = blockIdx.x / kBands * (kSlots * 32);
  const size_t block_end = block + blocksize < r.rows ? block + blocksize : r.rows;
  const size_t first = block + inside,
               end = first + kSlots * 32 < block_end ? first + kSlots * 32 : block_end;
  const unsigned row = blockIdx.x % kBands * kWarps + threadIdx.x / 32;
  if (first + row >= end) return;  // whole warps
  const size_t n = end - first;
  float* to = u.data + (first + row) * u.stride;
  for (size_t c = threadIdx.x % 32; c < blocksize; c += 32)
    if (c < inside || c >= inside + n) to[c] = 0;
  const DeviceView<const float> tile{r.data + first * (r.stride + 1), n, n, r.stride};
  invert_row<kSlots>(tile, row, {u.data + first * u.stride + inside, n, n, u.stride});
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
  const auto tiles = [&](auto kernel, size_t side) {
    const Grid grid{dim3(unsigned(parts(blocksize, side) * side / kWarps), parts(r.rows, blocksize)),
                    dim3(kThreads)};
    launch(device, kernel, grid, r, blocksize, u);
  };
  if (blocksize <= 64)
    tiles(invert_kernel<2>, 64);
  else if (blocksize <= 128)
    tiles(invert_kernel<4>, 128);
  else
    tiles(invert_kernel<8>, kInverse);
}

}  // namespace signum::cuda::own
