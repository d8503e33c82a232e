// pb-llm: signs are looked up where the mask leaves them; each lane goes through the salient weights of its
// own row.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

struct MaskSource {
  struct Words {
    uint32_t sign, mask;
  };
  struct Scalars {
    uint32_t mean, scale;
  };
  const PackedOnCard& p;
  size_t row;

  __device__ Words words(unsigned w) const { return {p.sign.word(row, w), p.plane2.word(row, w)}; }
  __device__ Scalars scalars(unsigned group) const {
    return {scalar_bits(p.mean, 0, group, row), scalar_bits(p.scale, 0, group, row)};
  }
};

template <unsigned T>
__global__ void pb_llm_kernel(PackedOnCard p, ProductJob job) {
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  const TileOfWarp at(p);
  const size_t row = at.row();
  const bool live = at.live && row < p.rows;
  Walk<MaskSource, 4> walk({p, row}, range, p.group_words, live);
  const unsigned low = p.salient_bits - 1;
  const int zero = live ? p.zeros[row] : 0;
  size_t rank = live ? p.rank[size_t(range.first / kRankWords) * p.padded_rows + row] : 0;
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * kEntries;
  gather(p, job, range, xs);
  fill_tables(xs, range, false, nullptr, nullptr, tables);
  __syncthreads();

  Sums<T> all{}, salient{}, sum{}, positive{};
  walk.go(
      [&](unsigned w, const MaskSource::Words& words, const MaskSource::Scalars&) {
        const Sums<T>* table = tables + (w - range.first) * kEntries;
        look_up(table, ~words.mask, sum);
        look_up(table, words.sign & ~words.mask, positive);
        for (uint32_t left = words.mask; left; left &= left - 1, ++rank) {
          const unsigned c = unsigned(__ffs(left)) - 1;
          const unsigned code = code_in_stream(p.salient_codes, rank, low) | (words.sign >> c & 1) << low;
          add(salient, float(int(code) - zero), xs[(w - range.first) * kWord + c]);
        }
      },
      [&](const MaskSource::Scalars& scalars) {
        const float mean = scalar_value(p.mean, scalars.mean), scale = scalar_value(p.scale, scalars.scale);
        add(all, mean - scale, sum);
        add(all, 2 * scale, positive);
        sum = positive = Sums<T>{};
      });
  if (live) add(all, scalar(p.step, 0, 0, row), salient);
  finish(p, job, at, all);
}

}  // namespace

void start_pb_llm(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan) {
  const auto kernel = plan.tokens == 1   ? pb_llm_kernel<1>
                      : plan.tokens == 4 ? pb_llm_kernel<4>
                                         : pb_llm_kernel<8>;
  launch(device, kernel, grid_of(p, plan), p, job);
}

}  // namespace signum::cuda
