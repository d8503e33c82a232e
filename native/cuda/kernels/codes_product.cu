// rtn and gptq. Codes of 1 and 2 bits are looked up, four bits at once; wider ones are turned into numbers
// one by one.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

// A code less its zero is looked up as a whole, so that nothing cancels where most codes are the zero: a
// table for each zero up to the middle, and beyond it code - zero = -(~code - ~zero).
template <unsigned B>
inline constexpr unsigned kFieldEntries = 16 * (1u << (B - 1));  // of four bits

// tables [words * B * kNibbles * kFieldEntries]. A thread makes four entries, of one choice of the upper two
// bits.
template <unsigned B, unsigned T>
__device__ void make_code_tables(const Sums<T>* xs, WordRange range, Sums<T>* tables) {
  constexpr unsigned kColumns = 4 / B, kMost = (1u << B) - 1, kFours = kFieldEntries<B> / 4;
  for (unsigned e = threadIdx.x; e < range.count() * B * kNibbles * kFours; e += blockDim.x) {
    const unsigned field = e / kFours, zero = e % kFours / 4, upper = e % 4;
    FourSums<T> entries{};
#pragma unroll
    for (unsigned k = 0; k < kColumns; ++k) {
      const Sums<T> x = xs[field * kColumns + k];
#pragma unroll
      for (unsigned low = 0; low < 4; ++low)
        add(entries.at[low], float(int((4 * upper + low) >> (k * B) & kMost) - int(zero)), x);
    }
    reinterpret_cast<FourSums<T>*>(tables)[e] = entries;
  }
  __syncthreads();
}

template <unsigned B>
struct CodeSource {
  struct Words {
    uint32_t at[B];
  };
  struct Scalars {
    uint32_t scale;
    unsigned zero;
  };
  const PackedOnCard& p;
  const uint32_t* words_of_lane;
  size_t row;

  __device__ CodeSource(const PackedOnCard& packed, const TileOfWarp& at)
      : p(packed),
        words_of_lane(packed.codes.data + size_t(at.tile) * packed.codes.words * kTile + at.lane),
        row(at.row()) {}
  __device__ Words words(unsigned w) const {
    Words words;
#pragma unroll
    for (unsigned q = 0; q < B; ++q) words.at[q] = words_of_lane[(size_t(w) * B + q) * kTile];
    return words;
  }
  __device__ Scalars scalars(unsigned group) const {
    return {scalar_bits(p.scale, 0, group, row),
            p.zeros ? p.zeros[size_t(group) * p.padded_rows + row] : 1u << (B - 1)};
  }
};

template <unsigned B, unsigned T>
__global__ void narrow_codes_kernel(PackedOnCard p, ProductJob job) {
  using Source = CodeSource<B>;
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  const TileOfWarp at(p);
  Walk<Source, 4 / B> walk(Source(p, at), range, p.group_words, at.live);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * B * kNibbles * kFieldEntries<B>;
  gather(p, job, range, xs);
  make_code_tables<B>(xs, range, tables);

  Sums<T> all{}, sum{};
  walk.go(
      [&](unsigned w, const typename Source::Words& words, const typename Source::Scalars& scalars) {
        const uint32_t flip = scalars.zero >> (B - 1) & 1 ? ~0u : 0u;
        const Sums<T>* table = tables + 16 * ((scalars.zero ^ flip) & ((1u << (B - 1)) - 1)) +
                               (w - range.first) * B * kNibbles * kFieldEntries<B>;
#pragma unroll
        for (unsigned q = 0; q < B; ++q) {
          const uint32_t bits = words.at[q] ^ flip;
#pragma unroll
          for (unsigned k = 0; k < kNibbles; ++k)
            add(sum, table[kFieldEntries<B> * (q * kNibbles + k) + (bits >> (4 * k) & 15)]);
        }
      },
      [&](const typename Source::Scalars& scalars) {
        const float scale = scalar_value(p.scale, scalars.scale);
        add(all, scalars.zero >> (B - 1) & 1 ? -scale : scale, sum);
        sum = Sums<T>{};
      });
  finish(p, job, at, all);
}

template <unsigned B, unsigned T>
__global__ void wide_codes_kernel(PackedOnCard p, ProductJob job) {
  using Source = CodeSource<B>;
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  const TileOfWarp at(p);
  Walk<Source, 1> walk(Source(p, at), range, p.group_words, at.live);
  auto* xs = shared_memory<Sums<T>>();
  gather(p, job, range, xs);

  Sums<T> all{}, sum{};
  walk.go(
      [&](unsigned w, const typename Source::Words& words, const typename Source::Scalars& scalars) {
        const float shifted = 8388608.0f + float(scalars.zero);  // 2^23: what is below its bits is whole
        const auto* x = reinterpret_cast<const FourSums<T>*>(xs + (w - range.first) * kWord);
#pragma unroll
        for (unsigned k = 0; k < kWord; ++k) {
          const unsigned bit = k * B, q = bit / 32, off = bit % 32;
          uint32_t code = words.at[q] >> off;
          if (off + B > 32) code |= words.at[q + 1 < B ? q + 1 : q] << (32 - off);
          add(sum, bits_float(0x4B000000u | (code & ((1u << B) - 1))) - shifted, x[k / 4].at[k % 4]);
        }
      },
      [&](const typename Source::Scalars& scalars) {
        add(all, scalar_value(p.scale, scalars.scale), sum);
        sum = Sums<T>{};
      });
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
