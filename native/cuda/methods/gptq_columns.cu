#include "cuda/methods/gptq_columns.h"
#include "cuda/methods/grid_lanes.h"
#include "cuda/methods/propagation.h"

namespace signum::cuda {
namespace {

struct GptqRule {
  GridRule rule;
  unsigned group;
  size_t first_group, groups;
  float *step, *zero;

  struct Row {
    size_t at;      // of its next grid
    unsigned next;  // the column that it begins at
    GridStep grid;
  };

  __device__ Row begin(size_t row) const {
    const size_t at = row * groups + first_group;
    if (group > 0) return {at, 0, {1, 0}};
    return {at, kMostWidth, {step[at], zero[at]}};
  }
  template <unsigned kSlots>
  __device__ void reach(Row& row, unsigned j, unsigned width, const float (&w)[kSlots]) const {
    if (j != row.next) return;
    const unsigned lane = threadIdx.x % 32, end = j + group < width ? j + group : width;
    float least = 0, most = 0;
#pragma unroll
    for (unsigned s = 0; s < kSlots; ++s) {
      const unsigned column = s * 32 + lane;
      if (column < j || column >= end) continue;
      least = fminf(least, w[s]);
      most = fmaxf(most, w[s]);
    }
    row.grid = warp_grid(rule, warp_range(rule, least, most), lane, [&](const auto& add) {
#pragma unroll
      for (unsigned s = 0; s < kSlots; ++s)
        for (unsigned l = 0; l < 32; ++l) {
          const unsigned column = s * 32 + l;
          if (column >= j && column < end) add(warp_from(w[s], l));
        }
    });
    if (lane == 0) {
      step[row.at] = row.grid.step;
      zero[row.at] = row.grid.zero;
    }
    ++row.at;
    row.next = end;
  }
  __device__ float value(const Row& row, unsigned, float w, unsigned& code) const {
    const float nearest = grid_code(w, row.grid, rule.highest);
    code = unsigned(nearest);
    return grid_value(nearest, row.grid);
  }
  __device__ void add(Row&, float) const {}
  __device__ void end(const Row&) const {}
};

}  // namespace

void gptq_columns(Device& device, const Recipe& recipe, size_t group, size_t first_group, DeviceGrids& grids,
                  const BlockColumns& block) {
  propagate(device,
            GptqRule{GridRule::of(recipe), unsigned(group), first_group, grids.groups, grids.step.data(),
                     grids.zero.data()},
            block);
}

}  // namespace signum::cuda
