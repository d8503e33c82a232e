#include <type_traits>

#include "cuda/kernels/stored_product.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;  // of a block
constexpr size_t kFewTokens = 8;

struct StoredJob {
  const void* data;
  size_t rows, columns;
  const float* x;
  unsigned tokens;
  float beta;
  float* out;
  size_t out_stride;
};

enum class Half : uint8_t { F16, Bf16 };

template <Half kHalf>
__device__ float widened(uint32_t bits) {
  return kHalf == Half::F16 ? from_half(uint16_t(bits)) : from_bfloat(uint16_t(bits));
}

// Eight columns from `column` on, 16-byte loads (F32: two).
template <class T, Half kHalf>
__device__ void load_eight(const T* row, size_t column, float* to) {
  if constexpr (std::is_same_v<T, float>) {
    const auto* from = reinterpret_cast<const float4*>(row + column);
    const float4 a = __ldg(from), b = __ldg(from + 1);
    to[0] = a.x, to[1] = a.y, to[2] = a.z, to[3] = a.w;
    to[4] = b.x, to[5] = b.y, to[6] = b.z, to[7] = b.w;
  } else {
    const uint4 all = __ldg(reinterpret_cast<const uint4*>(row + column));
    const uint32_t words[4] = {all.x, all.y, all.z, all.w};
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      to[2 * k] = widened<kHalf>(words[k] & 0xFFFF);
      to[2 * k + 1] = widened<kHalf>(words[k] >> 16);
    }
  }
}

// A warp for R rows; each lane has every 32nd run of eight columns, whose products it sums in F32.
template <class T, Half kHalf, unsigned R, unsigned kTokens, bool kWhole>
__global__ void stored_kernel(StoredJob job) {
  const unsigned lane = threadIdx.x % 32;
  const size_t first = (size_t(blockIdx.x) * kWarps + threadIdx.x / 32) * R;
  if (first >= job.rows) return;  // the whole warp
  const T* rows[R];
#pragma unroll
  for (unsigned r = 0; r < R; ++r) {
    const size_t row = first + r < job.rows ? first + r : job.rows - 1;
    rows[r] = static_cast<const T*>(job.data) + row * job.columns;
  }
  float sums[R][kTokens]{};
  for (size_t column = size_t(lane) * 8; column < job.columns; column += 256) {
    float w[R][8];
    if constexpr (kWhole) {
#pragma unroll
      for (unsigned r = 0; r < R; ++r) load_eight<T, kHalf>(rows[r], column, w[r]);
    } else {
      for (unsigned r = 0; r < R; ++r)
        for (unsigned k = 0; k < 8; ++k) {
          w[r][k] = 0;
          if (column + k >= job.columns) continue;
          if constexpr (std::is_same_v<T, float>)
            w[r][k] = rows[r][column + k];
          else
            w[r][k] = widened<kHalf>(rows[r][column + k]);
        }
    }
#pragma unroll
    for (unsigned t = 0; t < kTokens; ++t) {
      if (t >= job.tokens) break;
      const float* at = job.x + size_t(t) * job.columns + column;
      float x[8];
      if constexpr (kWhole) {
        load_eight<float, kHalf>(at, 0, x);
      } else {
        for (unsigned k = 0; k < 8; ++k) x[k] = column + k < job.columns ? at[k] : 0.0f;
      }
#pragma unroll
      for (unsigned r = 0; r < R; ++r)
#pragma unroll
        for (unsigned k = 0; k < 8; ++k) sums[r][t] = fmaf(w[r][k], x[k], sums[r][t]);
    }
  }
#pragma unroll
  for (unsigned r = 0; r < R; ++r)
#pragma unroll
    for (unsigned t = 0; t < kTokens; ++t) {
      float sum = sums[r][t];
      for (unsigned mask = 16; mask > 0; mask /= 2) sum += warp_xor(sum, mask);
      if (lane > 0 || t >= job.tokens || first + r >= job.rows) continue;
      float* out = job.out + size_t(t) * job.out_stride + first + r;
      *out = job.beta == 0.0f ? sum : fmaf(job.beta, *out, sum);
    }
}

template <class T, Half kHalf>
void start(Device& device, const StoredJob& job) {
  const auto aligned = [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; };
  const bool whole = job.columns % 8 == 0 && aligned(job.data) && aligned(job.x);
  const auto run = [&](auto kernel, unsigned rows) {
    launch(device, kernel, Grid{dim3(parts(job.rows, kWarps * rows)), dim3(kWarps * 32)}, job);
  };
  if (job.tokens == 1)
    return whole ? run(stored_kernel<T, kHalf, 1, 1, true>, 1) : run(stored_kernel<T, kHalf, 1, 1, false>, 1);
  if (job.tokens <= 4)
    return whole ? run(stored_kernel<T, kHalf, 2, 4, true>, 2) : run(stored_kernel<T, kHalf, 2, 4, false>, 2);
  whole ? run(stored_kernel<T, kHalf, 2, 8, true>, 2) : run(stored_kernel<T, kHalf, 2, 8, false>, 2);
}

}  // namespace

void multiply(Card& card, const StoredOnCard& matrix, const float* x, size_t tokens, float beta, float* out,
              size_t out_stride) {
  if (tokens > kFewTokens)
    return card.blas.times_stored(x, tokens, matrix.columns, matrix.data, matrix.dtype, matrix.rows, beta,
                                  out, out_stride);
  const StoredJob job{matrix.data, matrix.rows, matrix.columns, x, unsigned(tokens), beta, out, out_stride};
  switch (matrix.dtype) {
    case DType::F16:
      return start<uint16_t, Half::F16>(card.device, job);
    case DType::BF16:
      return start<uint16_t, Half::Bf16>(card.device, job);
    default:
      return start<float, Half::F16>(card.device, job);
  }
}

}  // namespace signum::cuda
