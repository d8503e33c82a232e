// pb-llm: signs are looked up where the mask leaves them; each lane goes through the salient weights of its
// own row.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

template <unsigned T>
__global__ void pb_llm_kernel(PackedOnCard p, ProductJob job) {
  const WordRange range = words_of_split(blockIdx.y, job.split_words, p.words);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * kEntries;
  gather(p, job, range, nullptr, xs);
  make_tables(xs, range, false, nullptr, tables);

  const TileOfWarp at(p);
  const size_t row = at.row();
  Sums<T> all{};
  if (at.live && row < p.rows) {
    const unsigned low = p.salient_bits - 1;
    const int zero = p.zeros[row];
    size_t rank = p.rank[size_t(range.first / kRankWords) * p.padded_rows + row];
    Sums<T> salient{};
    for (unsigned w = range.first; w < range.last;) {
      const unsigned g = w / p.group_words, next = (g + 1) * p.group_words;
      const unsigned end = next < range.last ? next : range.last;
      Sums<T> sum{}, positive{};
      for (; w < end; ++w) {
        const uint32_t sign = p.sign.word(row, w), mask = p.plane2.word(row, w);
        const Sums<T>* table = tables + (w - range.first) * kEntries;
        look_up(table, ~mask, sum);
        look_up(table, sign & ~mask, positive);
        for (uint32_t left = mask; left; left &= left - 1, ++rank) {
          const unsigned c = unsigned(__ffs(left)) - 1;
          const unsigned code = code_in_stream(p.salient_codes, rank, low) | (sign >> c & 1) << low;
          add(salient, float(int(code) - zero), xs[(w - range.first) * kWord + c]);
        }
      }
      const float mean = scalar(p.mean, 0, g, row), scale = scalar(p.scale, 0, g, row);
      add(all, mean - scale, sum);
      add(all, 2 * scale, positive);
    }
    add(all, scalar(p.step, 0, 0, row), salient);
  }
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
