// billm and the ARB methods: signs, groups, salient columns. What the columns of a group add up to is looked
// up; the few salient columns, the same ones for all rows, are added one by one.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

// One word of a row's planes.
struct GroupWords {
  uint32_t sign, high, low;
};

// The columns of group g of P.
template <unsigned P>
__device__ uint32_t members(const GroupWords& word, unsigned g) {
  const unsigned value = P - 1 - g;
  if (P == 2) return value ? word.high : ~word.high;
  return (value >> 1 ? word.high : ~word.high) & (value & 1 ? word.low : ~word.low);
}

template <unsigned P>
__device__ GroupWords words_at(const PackedOnCard& p, unsigned tile, unsigned lane, unsigned w) {
  const size_t at = (size_t(tile) * p.words + w) * kTile + lane;
  return {p.sign.data[at], p.plane2.data[at], P == 2 ? 0 : p.group2.data[at]};
}

// Calls each(column of the word, group, first sign, second sign) for a word's salient columns.
template <unsigned P, class Each>
__device__ void for_salient(const PackedOnCard& p, const GroupWords& word, size_t row, unsigned w,
                            const Each& each) {
  unsigned k = p.salient_before[w];
  for (uint32_t flags = p.salient[w]; flags; flags &= flags - 1, ++k) {
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
__global__ void means_kernel(PackedOnCard p, ProductJob job) {
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * kEntries;
  auto* word_sums = xs + range.count() * kWord;
  gather(p, job, range, nullptr, xs);
  make_tables(xs, range, false, p.salient, tables);
  sum_words(xs, range, p.salient, word_sums);

  const TileOfWarp at(p);
  const size_t row = at.row();
  const unsigned salient_groups = p.bitmap ? P : 1;
  Sums<T> all{};
  if (at.live)
    for (unsigned w = range.first; w < range.last;) {
      const unsigned block = w / p.group_words, next = (block + 1) * p.group_words;
      const unsigned end = next < range.last ? next : range.last;
      float mean[P]{}, first[P]{}, second[P]{};  // of the salient groups
#pragma unroll
      for (unsigned g = 0; g < P; ++g)
        if (g < salient_groups) {
          mean[g] = scalar(p.mean, g, block, row);
          first[g] = scalar(p.scale, 2 * g, block, row);
          second[g] = scalar(p.scale, 2 * g + 1, block, row);
        }
      // Of the columns that are set in sign, and by group: of all of them, and of those set in sign.
      Sums<T> positive{}, sum[P]{}, sum_positive[P]{};
      for (; w < end; ++w) {
        const GroupWords word = words_at<P>(p, at.tile, at.lane, w);
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
          float m = mean[0], s1 = first[0], s2 = second[0];
#pragma unroll
          for (unsigned g = 1; g < P; ++g)
            if (g == group) m = mean[g], s1 = first[g], s2 = second[g];
          add(all, m + with_sign(sign, s1) + with_sign(sign2, s2), xs[(w - range.first) * kWord + c]);
        });
      }
      // The last group is what the others leave.
      sum_positive[P - 1] = positive;
#pragma unroll
      for (unsigned g = 0; g + 1 < P; ++g) {
        add(sum[P - 1], -1.0f, sum[g]);
        add(sum_positive[P - 1], -1.0f, sum_positive[g]);
      }
#pragma unroll
      for (unsigned g = 0; g < P; ++g) {
        const float m = scalar(p.mean, salient_groups + g, block, row);
        const float s = scalar(p.scale, 2 * salient_groups + g, block, row);
        add(all, m - s, sum[g]);
        add(all, 2 * s, sum_positive[g]);
      }
    }
  finish(p, job, at, all);
}

template <unsigned P, unsigned T>
__global__ void rank_one_kernel(PackedOnCard p, ProductJob job) {
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  const size_t positions = size_t(p.words) * kWord;
  auto* tables = shared_memory<Sums<T>>();  // one after another for every group
  auto* xs = tables + range.count() * P * kEntries;
  for (unsigned g = 0; g < P; ++g) {
    gather(p, job, range, p.column_scale + g * positions, xs);
    make_tables(xs, range, false, p.salient, tables + g * range.count() * kEntries);
  }
  gather(p, job, range, nullptr, xs);

  const TileOfWarp at(p);
  const size_t row = at.row();
  const unsigned salient_slots = p.bitmap ? 2 * P : 2;
  Sums<T> all{};
  if (at.live)
    for (unsigned w = range.first; w < range.last;) {
      const unsigned block = w / p.group_words, next = (block + 1) * p.group_words;
      const unsigned end = next < range.last ? next : range.last;
      float first[P]{}, second[P]{};  // of the salient groups
#pragma unroll
      for (unsigned g = 0; g < P; ++g)
        if (2 * g < salient_slots) {
          first[g] = scalar(p.scale, 2 * g, block, row);
          second[g] = scalar(p.scale, 2 * g + 1, block, row);
        }
      Sums<T> sum[P]{}, positive[P]{};
      for (; w < end; ++w) {
        const GroupWords word = words_at<P>(p, at.tile, at.lane, w);
#pragma unroll
        for (unsigned g = 0; g < P; ++g) {
          const Sums<T>* table = tables + (g * range.count() + w - range.first) * kEntries;
          const uint32_t in = members<P>(word, g);
          look_up(table, in, sum[g]);
          look_up(table, in & word.sign, positive[g]);
        }
        for_salient<P>(p, word, row, w, [&](unsigned c, unsigned group, bool sign, bool sign2) {
          float s1 = first[0], s2 = second[0];
#pragma unroll
          for (unsigned g = 1; g < P; ++g)
            if (g == group) s1 = first[g], s2 = second[g];
          const float* column = p.column_scale + 2 * group * positions + w * kWord + c;
          add(all, with_sign(sign, s1 * column[0]) + with_sign(sign2, s2 * column[positions]),
              xs[(w - range.first) * kWord + c]);
        });
      }
#pragma unroll
      for (unsigned g = 0; g < P; ++g) {
        const float s = scalar(p.scale, salient_slots + g, block, row);
        add(all, -s, sum[g]);
        add(all, 2 * s, positive[g]);
      }
    }
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
