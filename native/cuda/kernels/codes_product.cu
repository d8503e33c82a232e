// rtn and gptq. Codes of 1 and 2 bits are looked up, four bits at once; wider ones are turned into numbers
// one by one.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

// A code less its zero is looked up as a whole, so that nothing cancels where most codes are the zero: a
// table for each zero up to the middle, and beyond it code - zero = -(~code - ~zero).
template <unsigned B>
inline constexpr unsigned kFieldEntries = 16 * (1u << (B - 1));  // of four bits

// tables [words * B * kNibbles * kFieldEntries]
template <unsigned B, unsigned T>
__device__ void make_code_tables(const Sums<T>* xs, WordRange range, Sums<T>* tables) {
  constexpr unsigned kColumns = 4 / B, kMost = (1u << B) - 1;
  for (unsigned e = threadIdx.x; e < range.count() * B * kNibbles * kFieldEntries<B>; e += blockDim.x) {
    const unsigned field = e / kFieldEntries<B>, zero = e % kFieldEntries<B> / 16;
    Sums<T> sum{};
#pragma unroll
    for (unsigned k = 0; k < kColumns; ++k)
      add(sum, float(int(e % 16 >> (k * B) & kMost) - int(zero)), xs[field * kColumns + k]);
    tables[e] = sum;
  }
  __syncthreads();
}

template <unsigned B, unsigned T>
__global__ void narrow_codes_kernel(PackedOnCard p, ProductJob job) {
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * B * kNibbles * kFieldEntries<B>;
  gather(p, job, range, nullptr, xs);
  make_code_tables<B>(xs, range, tables);

  const TileOfWarp at(p);
  Sums<T> all{};
  if (at.live) {
    const uint32_t* words = p.codes.data + size_t(at.tile) * p.codes.words * kTile + at.lane;
    for (unsigned w = range.first; w < range.last;) {
      const unsigned g = w / p.group_words, next = (g + 1) * p.group_words;
      const unsigned end = next < range.last ? next : range.last;
      const unsigned zero = p.zeros ? p.zeros[size_t(g) * p.padded_rows + at.row()] : 1u << (B - 1);
      const bool upper = zero >> (B - 1) & 1;
      const uint32_t flip = upper ? ~0u : 0u;
      const Sums<T>* of_zero = tables + 16 * ((zero ^ flip) & ((1u << (B - 1)) - 1));
      Sums<T> sum{};
#pragma unroll 4
      for (unsigned q = w * B; q < end * B; ++q) {
        const uint32_t bits = words[size_t(q) * kTile] ^ flip;
        const Sums<T>* table = of_zero + (q - range.first * B) * kNibbles * kFieldEntries<B>;
#pragma unroll
        for (unsigned k = 0; k < kNibbles; ++k)
          add(sum, table[kFieldEntries<B> * k + (bits >> (4 * k) & 15)]);
      }
      const float scale = scalar(p.scale, 0, g, at.row());
      add(all, upper ? -scale : scale, sum);
      w = end;
    }
  }
  finish(p, job, at, all);
}

template <unsigned B, unsigned T>
__global__ void wide_codes_kernel(PackedOnCard p, ProductJob job) {
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  auto* xs = shared_memory<Sums<T>>();
  gather(p, job, range, nullptr, xs);

  const TileOfWarp at(p);
  Sums<T> all{};
  if (at.live) {
    const uint32_t* words = p.codes.data + size_t(at.tile) * p.codes.words * kTile + at.lane;
    for (unsigned w = range.first; w < range.last;) {
      const unsigned g = w / p.group_words, next = (g + 1) * p.group_words;
      const unsigned end = next < range.last ? next : range.last;
      const unsigned zero = p.zeros ? p.zeros[size_t(g) * p.padded_rows + at.row()] : 1u << (B - 1);
      const float shifted = 8388608.0f + float(zero);  // 2^23: what is below its bits is a whole number
      Sums<T> sum{};
      for (; w < end; ++w) {
        uint32_t codes[B];
#pragma unroll
        for (unsigned q = 0; q < B; ++q) codes[q] = words[(size_t(w) * B + q) * kTile];
        const Sums<T>* x = xs + (w - range.first) * kWord;
#pragma unroll
        for (unsigned k = 0; k < kWord; ++k) {
          const unsigned bit = k * B, q = bit / 32, off = bit % 32;
          uint32_t code = codes[q] >> off;
          if (off + B > 32) code |= codes[q + 1 < B ? q + 1 : q] << (32 - off);
          add(sum, bits_float(0x4B000000u | (code & ((1u << B) - 1))) - shifted, x[k]);
        }
      }
      add(all, scalar(p.scale, 0, g, at.row()), sum);
    }
  }
  finish(p, job, at, all);
}

template <unsigned T>
void start(Device& device, const PackedOnCard& p, const ProductJob& job, const Grid& grid) {
  using Kernel = void (*)(PackedOnCard, ProductJob);
  constexpr Kernel kWide[] = {wide_codes_kernel<1, T>, wide_codes_kernel<2, T>, wide_codes_kernel<3, T>,
                              wide_codes_kernel<4, T>, wide_codes_kernel<5, T>, wide_codes_kernel<6, T>,
                              wide_codes_kernel<7, T>, wide_codes_kernel<8, T>};
  constexpr Kernel kNarrow[] = {narrow_codes_kernel<1, T>, narrow_codes_kernel<2, T>};
  launch(device, p.looked_up ? kNarrow[p.bits - 1] : kWide[p.bits - 1], grid, p, job);
}

}  // namespace

void start_codes(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan) {
  const Grid grid = grid_of(p, plan);
  if (plan.tokens == 1) return start<1>(device, p, job, grid);
  if (plan.tokens == 4) return start<4>(device, p, job, grid);
  start<8>(device, p, job, grid);
}

}  // namespace signum::cuda
