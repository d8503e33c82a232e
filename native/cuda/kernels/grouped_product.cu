// billm and the ARB methods: signs, groups, salient columns. What the columns of a group add up to is looked
// up; the few salient columns, the same ones for all rows, are added one by one.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

// Words on their way, and whether a group's scalars are: fewer where sums take the registers.
template <unsigned T>
inline constexpr unsigned kAheadOf = T == 1 ? 2 : 1;
template <unsigned P, unsigned T>
inline constexpr bool kScalarsAheadOf = P == 2 && T == 1;
// That should fit a processor at once, as many as need no room beside the registers.
template <unsigned P, unsigned T, bool kMeans>
inline constexpr unsigned kBlocksOf = T == 1                     ? 3
                                      : kMeans&& P > 2 && T == 8 ? 1
                                                                 : 2;

// One word of a row's planes, and which of its columns are salient.
struct GroupWords {
  uint32_t sign, high, low, salient;
};

// The columns of group g of P.
template <unsigned P>
__device__ uint32_t members(const GroupWords& word, unsigned g) {
  const unsigned value = P - 1 - g;
  if (P == 2) return value ? word.high : ~word.high;
  return (value >> 1 ? word.high : ~word.high) & (value & 1 ? word.low : ~word.low);
}

// Salient groups: P, or 1 without a bitmap. kMeans: slots of means as well.
template <unsigned P, bool kMeans>
struct GroupSource {
  using Words = GroupWords;
  struct Scalars {
    uint32_t mean[P], first[P], second[P];  // of the salient groups
    uint32_t own_mean[P], own[P];           // of the others
  };
  const PackedOnCard& p;
  const TileOfWarp& at;

  __device__ unsigned salient_groups() const { return p.bitmap ? P : 1; }
  __device__ Words words(unsigned w) const {
    const size_t i = (size_t(at.tile) * p.words + w) * kTile + at.lane;
    return {p.sign.data[i], p.plane2.data[i], P == 2 ? 0 : p.group2.data[i], p.salient[w]};
  }
  __device__ Scalars scalars(unsigned block) const {
    const size_t row = at.row();
    Scalars s{};
#pragma unroll
    for (unsigned g = 0; g < P; ++g) {
      s.own[g] = scalar_bits(p.scale, 2 * salient_groups() + g, block, row);
      if (kMeans) s.own_mean[g] = scalar_bits(p.mean, salient_groups() + g, block, row);
      if (g >= salient_groups()) continue;
      s.first[g] = scalar_bits(p.scale, 2 * g, block, row);
      s.second[g] = scalar_bits(p.scale, 2 * g + 1, block, row);
      if (kMeans) s.mean[g] = scalar_bits(p.mean, g, block, row);
    }
    return s;
  }
};

// slots[g], g below P, without indexing registers.
template <unsigned P>
__device__ uint32_t chosen(const uint32_t (&slots)[P], unsigned g) {
  uint32_t value = slots[0];
#pragma unroll
  for (unsigned i = 1; i < P; ++i)
    if (i == g) value = slots[i];
  return value;
}

// Calls each(column of the word, group, first sign, second sign) for a word's salient columns.
template <unsigned P, class Each>
__device__ void for_salient(const PackedOnCard& p, const GroupWords& word, size_t row, unsigned w,
                            const Each& each) {
  if (word.salient == 0) return;
  unsigned k = p.salient_before[w];
  for (uint32_t flags = word.salient; flags; flags &= flags - 1, ++k) {
    const unsigned c = unsigned(__ffs(flags)) - 1, high = word.high >> c & 1;
    if (p.bitmap) {
      const unsigned group = P - 1 - (P == 2 ? high : 2 * high + (word.low >> c & 1));
      each(c, group, word.sign >> c & 1, p.plane3.word(row, k / 32) >> (k % 32) & 1);
    } else {
      each(c, 0u, word.sign >> c & 1, high);
    }
  }
}

template <unsigned P, unsigned T>
__global__ void __launch_bounds__(kTilesOfBlock * 32, kBlocksOf<P, T, true>)
    means_kernel(PackedOnCard p, ProductJob job) {
  using Source = GroupSource<P, true>;
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  const TileOfWarp at(p);
  const size_t row = at.row();
  Walk<Source, kAheadOf<T>, kScalarsAheadOf<P, T>> walk({p, at}, range, p.group_words, at.live);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * kEntries;
  auto* word_sums = xs + range.count() * kWord;
  gather(p, job, range, xs);
  fill_tables(xs, range, false, p.salient, nullptr, tables);
  sum_words(xs, range, p.salient, word_sums);
  __syncthreads();

  // Of a block's columns that are set in sign, and by group: of all of them, and of those set in sign.
  Sums<T> all{}, positive{}, sum[P]{}, sum_positive[P]{};
  walk.go(
      [&](unsigned w, const GroupWords& word, const typename Source::Scalars& scalars) {
        const Sums<T>* table = tables + (w - range.first) * kEntries;
        look_up(table, word.sign, positive);
#pragma unroll
        for (unsigned g = 0; g + 1 < P; ++g) {
          const uint32_t in = members<P>(word, g);
          look_up(table, in, sum[g]);
          look_up(table, in & word.sign, sum_positive[g]);
        }
        add(sum[P - 1], word_sums[w - range.first]);
        for_salient<P>(p, word, row, w, [&](unsigned c, unsigned group, bool sign, bool sign2) {
          const float mean = scalar_value(p.mean, chosen<P>(scalars.mean, group));
          const float first = scalar_value(p.scale, chosen<P>(scalars.first, group));
          const float second = scalar_value(p.scale, chosen<P>(scalars.second, group));
          add(all, mean + with_sign(sign, first) + with_sign(sign2, second),
              xs[(w - range.first) * kWord + c]);
        });
      },
      [&](const typename Source::Scalars& scalars) {
        // The last group is what the others leave.
        sum_positive[P - 1] = positive;
#pragma unroll
        for (unsigned g = 0; g + 1 < P; ++g) {
          add(sum[P - 1], -1.0f, sum[g]);
          add(sum_positive[P - 1], -1.0f, sum_positive[g]);
        }
        positive = Sums<T>{};
#pragma unroll
        for (unsigned g = 0; g < P; ++g) {
          const float mean = scalar_value(p.mean, scalars.own_mean[g]);
          const float scale = scalar_value(p.scale, scalars.own[g]);
          add(all, mean - scale, sum[g]);
          add(all, 2 * scale, sum_positive[g]);
          sum[g] = sum_positive[g] = Sums<T>{};
        }
      });
  finish(p, job, at, all);
}

template <unsigned P, unsigned T>
__global__ void __launch_bounds__(kTilesOfBlock * 32, kBlocksOf<P, T, false>)
    rank_one_kernel(PackedOnCard p, ProductJob job) {
  using Source = GroupSource<P, false>;
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  const TileOfWarp at(p);
  const size_t row = at.row(), positions = size_t(p.words) * kWord;
  Walk<Source, kAheadOf<T>, kScalarsAheadOf<P, T>> walk({p, at}, range, p.group_words, at.live);
  auto* tables = shared_memory<Sums<T>>();  // one after another for every group
  auto* xs = tables + range.count() * P * kEntries;
  gather(p, job, range, xs);
  for (unsigned g = 0; g < P; ++g)
    fill_tables(xs, range, false, p.salient, p.column_scale + g * positions,
                tables + g * range.count() * kEntries);
  __syncthreads();

  Sums<T> all{}, sum[P]{}, positive[P]{};
  walk.go(
      [&](unsigned w, const GroupWords& word, const typename Source::Scalars& scalars) {
#pragma unroll
        for (unsigned g = 0; g < P; ++g) {
          const Sums<T>* table = tables + (g * range.count() + w - range.first) * kEntries;
          const uint32_t in = members<P>(word, g);
          look_up(table, in, sum[g]);
          look_up(table, in & word.sign, positive[g]);
        }
        for_salient<P>(p, word, row, w, [&](unsigned c, unsigned group, bool sign, bool sign2) {
          const float first = scalar_value(p.scale, chosen<P>(scalars.first, group));
          const float second = scalar_value(p.scale, chosen<P>(scalars.second, group));
          const float* column = p.column_scale + 2 * group * positions + w * kWord + c;
          add(all, with_sign(sign, first * column[0]) + with_sign(sign2, second * column[positions]),
              xs[(w - range.first) * kWord + c]);
        });
      },
      [&](const typename Source::Scalars& scalars) {
#pragma unroll
        for (unsigned g = 0; g < P; ++g) {
          const float scale = scalar_value(p.scale, scalars.own[g]);
          add(all, -scale, sum[g]);
          add(all, 2 * scale, positive[g]);
          sum[g] = positive[g] = Sums<T>{};
        }
      });
  finish(p, job, at, all);
}

using Kernel = void (*)(PackedOnCard, ProductJob);

template <unsigned P>
Kernel means_of(unsigned tokens) {
  return tokens == 1 ? means_kernel<P, 1> : tokens == 4 ? means_kernel<P, 4> : means_kernel<P, 8>;
}
template <unsigned P>
Kernel rank_one_of(unsigned tokens) {
  return tokens == 1 ? rank_one_kernel<P, 1> : tokens == 4 ? rank_one_kernel<P, 4> : rank_one_kernel<P, 8>;
}

}  // namespace

void start_means(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan) {
  const Kernel kernel = p.splits == 1   ? means_of<2>(plan.tokens)
                        : p.splits == 2 ? means_of<3>(plan.tokens)
                                        : means_of<4>(plan.tokens);
  launch(device, kernel, grid_of(p, plan), p, job);
}

void start_rank_one(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan) {
  const Kernel kernel = p.splits == 1   ? rank_one_of<2>(plan.tokens)
                        : p.splits == 2 ? rank_one_of<3>(plan.tokens)
                                        : rank_one_of<4>(plan.tokens);
  launch(device, kernel, grid_of(p, plan), p, job);
}

}  // namespace signum::cuda
