// fdb and signum-rc: planes with one scale per row and block, each of an x of its own.
#include "cuda/kernels/look_up.h"

namespace signum::cuda {
namespace {

struct PlaneSource {
  using Words = uint32_t;
  using Scalars = uint32_t;
  const uint32_t* words_of_lane;
  ScalarsOnCard scale;
  size_t row;

  __device__ Words words(unsigned w) const { return words_of_lane[size_t(w) * kTile]; }
  __device__ Scalars scalars(unsigned group) const { return scalar_bits(scale, 0, group, row); }
};

template <unsigned T>
__global__ void planes_kernel(PackedOnCard p, ProductJob job) {
  unsigned split = blockIdx.y, which = 0;
#pragma unroll
  for (unsigned i = 0; i + 1 < kMostPlanes; ++i)
    if (which == i && split >= job.splits_of_plane[i]) split -= job.splits_of_plane[i], ++which;
  const PlaneOnCard plane = which == 0 ? p.planes[0] : which == 1 ? p.planes[1] : p.planes[2];
  const WordRange range = words_of_split(split, job.split_words, plane.bits.words);
  const TileOfWarp at(p);
  Walk<PlaneSource, 4> walk(
      {plane.bits.data + size_t(at.tile) * plane.bits.words * kTile + at.lane, plane.scale, at.row()}, range,
      p.group_words, at.live);
  auto* tables = shared_memory<Sums<T>>();
  auto* xs = tables + range.count() * kEntries;
  gather(p, job, range, xs);
  // Columns beyond the plane's last one are in its last word too.
  for (unsigned k = threadIdx.x; k < range.count() * kWord; k += blockDim.x)
    if (range.first * kWord + k >= plane.end) xs[k] = Sums<T>{};
  __syncthreads();
  fill_tables(xs, range, p.kind == PackedKind::SignumRc, nullptr, plane.column_scale, tables);
  __syncthreads();

  Sums<T> all{}, sum{};
  walk.go(
      [&](unsigned w, uint32_t word, uint32_t) { look_up(tables + (w - range.first) * kEntries, word, sum); },
      [&](uint32_t scale) {
        add(all, scalar_value(plane.scale, scale), sum);
        sum = Sums<T>{};
      });
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
