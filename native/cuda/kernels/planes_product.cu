// fdb and signum-rc: planes with one scale per row and block, each of an x of its own.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

template <unsigned T>
__global__ void planes_kernel(PackedOnCard p, ProductJob job) {
  unsigned split = blockIdx.y, which = 0;
  while (split >= job.splits_of_plane[which]) split -= job.splits_of_plane[which++];
  const PlaneOnCard& plane = p.planes[which];
  const WordRange range = words_of_split(split, job.split_words, plane.bits.words);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * kEntries;
  gather(p, job, range, plane.column_scale, xs);
  // Columns beyond the plane's last one are in its last word too.
  for (unsigned k = threadIdx.x; k < range.count() * kWord; k += blockDim.x)
    if (range.first * kWord + k >= plane.end) xs[k] = Sums<T>{};
  __syncthreads();
  make_tables(xs, range, p.kind == PackedKind::SignumRc, nullptr, tables);

  const TileOfWarp at(p);
  Sums<T> all{};
  if (at.live) {
    const uint32_t* words = plane.bits.data + size_t(at.tile) * plane.bits.words * kTile + at.lane;
    for (unsigned w = range.first; w < range.last;) {
      const unsigned g = w / p.group_words, next = (g + 1) * p.group_words;
      const unsigned end = next < range.last ? next : range.last;
      Sums<T> sum{};
#pragma unroll 4
      for (; w < end; ++w) look_up(tables + (w - range.first) * kEntries, words[size_t(w) * kTile], sum);
      add(all, scalar(plane.scale, 0, g, at.row()), sum);
    }
  }
  finish(p, job, at, all);
}

}  // namespace

void start_planes(Device& device, const PackedOnCard& p, const ProductJob& job, const ProductPlan& plan) {
  const auto kernel = plan.tokens == 1   ? planes_kernel<1>
                      : plan.tokens == 4 ? planes_kernel<4>
                                         : planes_kernel<8>;
  launch(device, kernel, grid_of(p, plan), p, job);
}

}  // namespace signum::cuda
