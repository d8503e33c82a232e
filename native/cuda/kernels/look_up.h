// What the products straight from planes are made of (kernels only). Lanes are rows; the bits of four columns
// choose one of the 16 sums that these columns can have, from a table in shared memory that all rows of a
// block share: entries lie in banks of their own, so that a warp reads any 32 of them at once.
#pragma once

#include "cuda/kernels/look_up_sizes.h"
#include "cuda/kernels/product_job.h"
#include "cuda/math/sums.h"
#include "cuda/runtime.h"

namespace signum::cuda {

// One number for each token.
template <unsigned T>
struct alignas(T >= 4 ? 16 : 4 * T) Sums {
  float of[T];
};

// Four of them that lie together, read and written at once.
template <unsigned T>
struct alignas(16) FourSums {
  Sums<T> at[4];
};

template <unsigned T>
__device__ inline void add(Sums<T>& to, const Sums<T>& part) {
#pragma unroll
  for (unsigned t = 0; t < T; ++t) to.of[t] += part.of[t];
}
template <unsigned T>
__device__ inline void add(Sums<T>& to, float factor, const Sums<T>& part) {
#pragma unroll
  for (unsigned t = 0; t < T; ++t) to.of[t] = fmaf(factor, part.of[t], to.of[t]);
}

// The words of a row that this block adds up, of a plane of so many words.
struct WordRange {
  unsigned first, last;
  __device__ unsigned count() const { return last - first; }
};
__device__ inline WordRange words_of_split(unsigned split, unsigned split_words, unsigned words) {
  const unsigned first = split * split_words, last = first + split_words;
  return {first, last < words ? last : words};
}

// Shared memory: xs [32 * words] = x of these words' places, 0 where no column is. Ends with a barrier.
template <unsigned T>
__device__ inline void gather(const PackedOnCard& p, const ProductJob& job, WordRange range, Sums<T>* xs) {
#pragma unroll(T == 1 ? 4 : 1)
  for (unsigned k = threadIdx.x; k < range.count() * kWord; k += blockDim.x) {
    const unsigned input = __ldg(p.inputs + range.first * kWord + k);
    Sums<T> x;
#pragma unroll
    for (unsigned t = 0; t < T; ++t)
      x.of[t] = input == kNoColumn || t >= job.tokens ? 0.0f : __ldg(job.x + t * job.x_stride + input);
    xs[k] = x;
  }
  __syncthreads();
}

// tables [words * kEntries]: sums of x, times scale [places of the row] where there is one, where the bits
// are set or, with signs, of +x and -x. Columns flagged in `without` [words of the row] are left out. A
// thread makes four entries, of one choice of the upper two bits. A barrier must follow.
template <unsigned T>
__device__ inline void fill_tables(const Sums<T>* xs, WordRange range, bool signs, const uint32_t* without,
                                   const float* scale, Sums<T>* tables) {
  for (unsigned e = threadIdx.x; e < range.count() * (kEntries / 4); e += blockDim.x) {
    const unsigned nibble = e / 4, upper = e % 4;
    unsigned left_out = 0;
    if (without)
      left_out = __ldg(without + range.first + nibble / kNibbles) >> (4 * (nibble % kNibbles)) & 15;
    float4 scales = make_float4(1, 1, 1, 1);
    if (scale) scales = __ldg(reinterpret_cast<const float4*>(scale + range.first * kWord) + nibble);
    const float factors[4] = {scales.x, scales.y, scales.z, scales.w};
    const FourSums<T> four = reinterpret_cast<const FourSums<T>*>(xs)[nibble];
    FourSums<T> entries;
#pragma unroll
    for (unsigned t = 0; t < T; ++t) {
      float set[4], unset[4];
#pragma unroll
      for (unsigned k = 0; k < 4; ++k) {
        set[k] = left_out >> k & 1 ? 0.0f : four.at[k].of[t] * factors[k];
        unset[k] = signs ? -set[k] : 0.0f;
      }
      const float third = upper & 1 ? set[2] : unset[2], fourth = upper & 2 ? set[3] : unset[3];
#pragma unroll
      for (unsigned low = 0; low < 4; ++low)
        entries.at[low].of[t] =
            (low & 1 ? set[0] : unset[0]) + (low & 2 ? set[1] : unset[1]) + third + fourth;
    }
    reinterpret_cast<FourSums<T>*>(tables)[e] = entries;
  }
}

// sums [words]: of x over each word, a warp for each. A barrier must follow.
template <unsigned T>
__device__ inline void sum_words(const Sums<T>* xs, WordRange range, const uint32_t* without, Sums<T>* sums) {
  const unsigned lane = threadIdx.x % 32;
  for (unsigned w = threadIdx.x / 32; w < range.count(); w += blockDim.x / 32) {
    const bool left_out = without && __ldg(without + range.first + w) >> lane & 1;
    Sums<T> sum = left_out ? Sums<T>{} : xs[w * kWord + lane];
#pragma unroll
    for (unsigned t = 0; t < T; ++t) sum.of[t] = warp_sum(sum.of[t]);
    if (lane == 0) sums[w] = sum;
  }
}

// to += the entries that a word's bits choose.
template <unsigned T>
__device__ inline void look_up(const Sums<T>* tables, uint32_t bits, Sums<T>& to) {
#pragma unroll
  for (unsigned k = 0; k < kNibbles; ++k) add(to, tables[16 * k + (bits >> (4 * k) & 15)]);
}

// Where the rows of a warp lie.
struct TileOfWarp {
  unsigned tile, lane;
  bool live;  // false: beyond the last tile; the warp only helps with what all share
  __device__ TileOfWarp(const PackedOnCard& p)
      : tile(blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32),
        lane(threadIdx.x % 32),
        live(tile < p.tiles) {}
  __device__ size_t row() const { return size_t(tile) * kTile + lane; }
};

// Goes along a lane's words. What comes next is on its way while the words before it are used: kAhead words
// and, where they take few registers, the scalars of the next group; else a group's are asked for as it
// begins. Source: Words, Scalars; Words words(w), Scalars scalars(group).
template <class Source, unsigned kAhead, bool kScalarsAhead = true>
class Walk {
 public:
  // Begins to load, so it should be made before the tables are.
  __device__ Walk(const Source& source, WordRange range, unsigned group_words, bool live)
      : source_(source),
        range_(range),
        group_words_(group_words),
        group_(range.first / group_words),
        live_(live) {
    if (!live) return;
    load(range.first);
    scalars_ = source.scalars(group_);
    if (kScalarsAhead && has(group_ + 1)) next_scalars_ = source.scalars(group_ + 1);
  }

  // each(w, words, scalars) for every word, and end(scalars) after the last one of a group.
  template <class Each, class End>
  __device__ void go(const Each& each, const End& end) {
    if (!live_) return;
    unsigned group_end = (group_ + 1) * group_words_;
    for (unsigned first = range_.first; first < range_.last; first += kAhead) {
      typename Source::Words now[kAhead];
#pragma unroll
      for (unsigned k = 0; k < kAhead; ++k) now[k] = next_[k];
      load(first + kAhead);
#pragma unroll
      for (unsigned k = 0; k < kAhead; ++k) {
        const unsigned w = first + k;
        if (w >= range_.last) break;
        each(w, now[k], scalars_);
        if (w + 1 < group_end && w + 1 < range_.last) continue;
        end(scalars_);
        ++group_;
        group_end += group_words_;
        if (kScalarsAhead) {
          scalars_ = next_scalars_;
          if (has(group_ + 1)) next_scalars_ = source_.scalars(group_ + 1);
        } else if (has(group_)) {
          scalars_ = source_.scalars(group_);
        }
      }
    }
  }

 private:
  __device__ bool has(unsigned group) const { return group * group_words_ < range_.last; }
  __device__ void load(unsigned first) {
#pragma unroll
    for (unsigned k = 0; k < kAhead; ++k)
      if (first + k < range_.last) next_[k] = source_.words(first + k);
  }

  Source source_;
  WordRange range_;
  unsigned group_words_, group_;
  bool live_;
  typename Source::Words next_[kAhead]{};
  typename Source::Scalars scalars_{}, next_scalars_{};
};

// Puts this block's sums where they belong: the last block of a tile's splits adds them all up, in their
// order. To be reached by all threads.
template <unsigned T>
__device__ inline void finish(const PackedOnCard& p, const ProductJob& job, const TileOfWarp& at,
                              const Sums<T>& sum) {
  const auto put = [&](unsigned t, float value) {
    float* out = job.out + t * job.out_stride + at.row();
    *out = job.beta == 0.0f ? value : fmaf(job.beta, *out, value);
  };
  const bool own = at.live && at.row() < p.rows;
  if (gridDim.y == 1) {
    if (own)
      for (unsigned t = 0; t < T; ++t)
        if (t < job.tokens) put(t, sum.of[t]);
    return;
  }
  __shared__ unsigned arrived;
  if (at.live)
    for (unsigned t = 0; t < T; ++t)
      job.partials[(size_t(blockIdx.y) * T + t) * p.padded_rows + at.row()] = sum.of[t];
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    arrived = atomicAdd(job.arrived + blockIdx.x, 1u);
    if (arrived == gridDim.y - 1) job.arrived[blockIdx.x] = 0;  // for the next product
  }
  __syncthreads();
  if (arrived != gridDim.y - 1) return;
  __threadfence();
  if (!own) return;
  for (unsigned t = 0; t < T; ++t) {
    if (t >= job.tokens) break;
    float all = 0;
#pragma unroll 8
    for (unsigned s = 0; s < gridDim.y; ++s)
      all += __ldcg(job.partials + (size_t(s) * T + t) * p.padded_rows + at.row());
    put(t, all);
  }
}

}  // namespace signum::cuda
