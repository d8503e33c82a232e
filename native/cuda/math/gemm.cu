#include <algorithm>

#include "cuda/math/gemm.h"
#include "cuda/math/stored_value.h"

namespace signum::cuda::own {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kBand = 8;  // rows of tiles that go through C together, for the second-level cache
constexpr unsigned kMostBatches = 32768;

template <class T>
struct alignas(16) Four {
  T at[4];
};

// Of k in one tile: what a thread fetches ahead must fit beside its sums.
template <unsigned kSide>
inline constexpr unsigned kDepthOf = kSide == 128 ? 8 : 16;

// This thread's share of a tile of op(A) or op(B), kDepth x kSide elements on their way from memory to shared
// memory: kEach of them, `step` apart.
template <class T, class W, unsigned kSide>
class Share {
 public:
  // data[i, j] for i < size along the side of C, from `first` on, and j < depth down k. across: k is
  // contiguous in memory, else the side is.
  __device__ Share(const W* data, size_t stride, bool across, size_t first, size_t size, size_t depth)
      : across_(across) {
    const unsigned along = across ? threadIdx.x / kDepth : threadIdx.x % kSide;
    deep_ = across ? threadIdx.x % kDepth : threadIdx.x / kSide;
    const size_t i = first + along;
    const size_t rows = i < size ? (size - i + kAlong - 1) / kAlong : 0;  // of those kAlong apart
    within_ = unsigned(rows < kEach ? rows : kEach);
    left_ = depth;
    at_ = across ? data + i * stride + deep_ : data + deep_ * stride + i;
    step_ = across ? kAlong * stride : kDown * stride;
    advance_ = across ? kDepth : kDepth * stride;
    to_ = deep_ * kPitch + along;
    to_step_ = across ? kAlong : kDown * kPitch;
  }
  // The next kDepth of k.
  __device__ void load() {
    unsigned count = 0;
    if (across_) {
      if (deep_ < left_) count = within_;
    } else if (within_ > 0 && deep_ < left_) {
      const size_t rows = (left_ - deep_ + kDown - 1) / kDown;
      count = unsigned(rows < kEach ? rows : kEach);
    }
#pragma unroll
    for (unsigned e = 0; e < kEach; ++e) values_[e] = e < count ? at_[e * step_] : W(0);
    at_ += advance_;
    left_ -= left_ < kDepth ? left_ : kDepth;
  }
  __device__ void store(T* tile, bool half) const {
#pragma unroll
    for (unsigned e = 0; e < kEach; ++e) tile[to_ + e * to_step_] = T(stored_value(values_[e], half));
  }

 private:
  static constexpr unsigned kDepth = kDepthOf<kSide>, kEach = kSide * kDepth / kThreads;
  static constexpr unsigned kAlong = kThreads / kDepth, kDown = kThreads / kSide;
  static constexpr unsigned kPitch = kSide + 4;
  W values_[kEach];
  const W* at_;
  size_t step_, advance_, left_;
  unsigned deep_, within_, to_, to_step_;
  bool across_;
};

// Which tile of C a block makes: bands of kBand rows of tiles, down a band before along it.
__device__ inline void tile_of(unsigned index, unsigned down, unsigned across, unsigned* row,
                               unsigned* column) {
  const unsigned band = index / (kBand * across), left = down - band * kBand;
  const unsigned height = left < kBand ? left : kBand;
  const unsigned inside = index - band * kBand * across;
  *row = band * kBand + inside % height;
  *column = inside / height;
}
// The same in the lower triangle of tiles, row by row.
__device__ inline void triangle_tile_of(unsigned index, unsigned* row, unsigned* column) {
  unsigned r = unsigned((sqrtf(8.0f * float(index) + 1.0f) - 1.0f) * 0.5f);
  while (r * (r + 1) / 2 > index) --r;
  while ((r + 1) * (r + 2) / 2 <= index) ++r;
  *row = r;
  *column = index - r * (r + 1) / 2;
}

template <class T, class W, class V, unsigned kSide, bool kGram>
__global__ void __launch_bounds__(kThreads, 2) gemm_kernel(Product<T, W, V> p) {
  constexpr unsigned kDepth = kDepthOf<kSide>;
  constexpr unsigned kGroups = kSide / 64;  // of four rows and columns for each thread
  constexpr unsigned kOwn = 4 * kGroups;
  alignas(16) __shared__ T a_tile[kDepth][kSide + 4];
  alignas(16) __shared__ T b_tile[kDepth][kSide + 4];
  unsigned tile_row, tile_column;
  if constexpr (kGram)
    triangle_tile_of(blockIdx.x, &tile_row, &tile_column);
  else
    tile_of(blockIdx.x, unsigned((p.m + kSide - 1) / kSide), unsigned((p.n + kSide - 1) / kSide), &tile_row,
            &tile_column);
  const size_t first_row = size_t(tile_row) * kSide, first_column = size_t(tile_column) * kSide;
  const size_t one = blockIdx.z;
  const V* a = p.a + one * p.a_step;
  const W* b = p.b + one / p.b_shared * p.b_step;
  const unsigned tx = threadIdx.x % 16, ty = threadIdx.x / 16;

  T sums[kOwn][kOwn];
#pragma unroll
  for (unsigned i = 0; i < kOwn; ++i)
#pragma unroll
    for (unsigned j = 0; j < kOwn; ++j) sums[i][j] = 0;

  Share<T, V, kSide> a_share(a, p.lda, !p.a_transposed, first_row, p.m, p.k);
  Share<T, W, kSide> b_share(b, p.ldb, p.b_transposed, first_column, p.n, p.k);
  a_share.load();
  b_share.load();
  for (size_t k = 0; k < p.k; k += kDepth) {
    a_share.store(a_tile[0], p.half);
    b_share.store(b_tile[0], p.half);
    __syncthreads();
    if (k + kDepth < p.k) {  // on its way while this one is used
      a_share.load();
      b_share.load();
    }
#pragma unroll
    for (unsigned d = 0; d < kDepth; ++d) {
      Four<T> left[kGroups], right[kGroups];
#pragma unroll
      for (unsigned g = 0; g < kGroups; ++g) {
        left[g] = *reinterpret_cast<const Four<T>*>(&a_tile[d][g * 64 + ty * 4]);
        right[g] = *reinterpret_cast<const Four<T>*>(&b_tile[d][g * 64 + tx * 4]);
      }
#pragma unroll
      for (unsigned i = 0; i < kOwn; ++i)
#pragma unroll
        for (unsigned j = 0; j < kOwn; ++j)
          sums[i][j] = fused(left[i / 4].at[i % 4], right[j / 4].at[j % 4], sums[i][j]);
    }
    __syncthreads();
  }

  T* c = p.c + one * p.c_step;
#pragma unroll
  for (unsigned i = 0; i < kOwn; ++i)
#pragma unroll
    for (unsigned j = 0; j < kOwn; ++j) {
      const size_t row = first_row + i / 4 * 64 + ty * 4 + i % 4;
      const size_t column = first_column + j / 4 * 64 + tx * 4 + j % 4;
      if (row >= p.m || column >= p.n || (kGram && column > row)) continue;
      T* at = c + row * p.ldc + column;
      const T value = p.beta == 0 ? p.alpha * sums[i][j] : p.alpha * sums[i][j] + p.beta * *at;
      *at = value;
      if (kGram && p.mirrored) c[column * p.ldc + row] = value;
    }
}

template <unsigned kSide, class T, class W, class V>
void multiply_tiled(Device& device, Product<T, W, V> p) {
  const size_t tiles = size_t(parts(p.m, kSide)) * parts(p.n, kSide);
  // A slice begins where B changes, if the batches are cut at all.
  const size_t most = std::max<size_t>(kMostBatches / p.b_shared, 1) * p.b_shared;
  for (size_t left = p.count; left > 0;) {
    const size_t slice = std::min(most, left);
    launch(device, gemm_kernel<T, W, V, kSide, false>,
           Grid{dim3(unsigned(tiles), 1, unsigned(slice)), dim3(kThreads)}, p);
    left -= slice;
    p.a += slice * p.a_step;
    p.b += slice / p.b_shared * p.b_step;
    p.c += slice * p.c_step;
  }
}

// Large tiles read less; they are taken where there are enough of them for the whole card.
template <class T, class W, class V>
void multiply_any(Device& device, const Product<T, W, V>& p) {
  if (p.m == 0 || p.n == 0 || p.count == 0) return;
  if constexpr (sizeof(T) == 4) {
    const size_t large = size_t(parts(p.m, 128)) * parts(p.n, 128) * p.count;
    if (large >= device.multiprocessors()) return multiply_tiled<128>(device, p);
  }
  multiply_tiled<64>(device, p);
}

// Rows of C for each pass of a thin product: as many sums as a thread keeps.
template <class W, unsigned kRows>
__global__ void thin_kernel(Product<float, W> p) {
  const size_t column = size_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  const unsigned lane = threadIdx.x % 32;
  if (column >= p.n) return;  // whole warps
  const W* b = p.b + column * p.ldb;
  float sums[kRows];
#pragma unroll
  for (unsigned r = 0; r < kRows; ++r) sums[r] = 0;
#pragma unroll 4
  for (size_t k = lane; k < p.k; k += 32) {
    const float w = stored_value(b[k], p.half);
#pragma unroll
    for (unsigned r = 0; r < kRows; ++r)
      if (r < p.m) sums[r] = fmaf(p.a[p.a_transposed ? k * p.lda + r : r * p.lda + k], w, sums[r]);
  }
#pragma unroll
  for (unsigned r = 0; r < kRows; ++r) {
    for (unsigned mask = 16; mask > 0; mask /= 2) sums[r] += warp_xor(sums[r], mask);
    if (lane == 0 && r < p.m) {
      float* at = p.c + r * p.ldc + column;
      *at = p.beta == 0 ? p.alpha * sums[r] : p.alpha * sums[r] + p.beta * *at;
    }
  }
}

template <class W>
void multiply_thin_any(Device& device, const Product<float, W>& p) {
  const Grid grid{dim3(parts(p.n, 8)), dim3(256)};
  if (p.m <= 1) return launch(device, thin_kernel<W, 1>, grid, p);
  if (p.m <= 4) return launch(device, thin_kernel<W, 4>, grid, p);
  launch(device, thin_kernel<W, kThinRows>, grid, p);
}

template <class T>
void add_gram_any(Device& device, bool transposed, size_t n, size_t k, T alpha, const T* a, size_t lda, T* c,
                  size_t ldc, bool mirrored) {
  Product<T, T> p;
  p.a_transposed = transposed;
  p.b_transposed = !transposed;
  p.mirrored = mirrored;
  p.m = p.n = n;
  p.k = k;
  p.alpha = alpha;
  p.a = p.b = a;
  p.lda = p.ldb = lda;
  p.beta = 1;
  p.c = c;
  p.ldc = ldc;
  if constexpr (sizeof(T) == 4) {
    const size_t large = parts(n, 128), tiles = large * (large + 1) / 2;
    if (tiles >= device.multiprocessors())
      return launch(device, gemm_kernel<T, T, T, 128, true>, Grid{dim3(unsigned(tiles)), dim3(kThreads)}, p);
  }
  const size_t small = parts(n, 64), tiles = small * (small + 1) / 2;
  launch(device, gemm_kernel<T, T, T, 64, true>, Grid{dim3(unsigned(tiles)), dim3(kThreads)}, p);
}

}  // namespace

void multiply(Device& device, const Product<float, float>& product) { multiply_any(device, product); }
void multiply(Device& device, const Product<float, uint16_t>& product) { multiply_any(device, product); }
void multiply(Device& device, const Product<float, uint16_t, uint16_t>& product) {
  multiply_any(device, product);
}
void multiply(Device& device, const Product<double, double>& product) { multiply_any(device, product); }

void add_gram(Device& device, bool transposed, size_t n, size_t k, float alpha, const float* a, size_t lda,
              float* c, size_t ldc, bool mirrored) {
  add_gram_any(device, transposed, n, k, alpha, a, lda, c, ldc, mirrored);
}
void add_gram(Device& device, bool transposed, size_t n, size_t k, double alpha, const double* a, size_t lda,
              double* c, size_t ldc, bool mirrored) {
  add_gram_any(device, transposed, n, k, alpha, a, lda, c, ldc, mirrored);
}

void multiply_thin(Device& device, const Product<float, float>& product) {
  multiply_thin_any(device, product);
}
void multiply_thin(Device& device, const Product<float, uint16_t>& product) {
  multiply_thin_any(device, product);
}

}  // namespace signum::cuda::own
