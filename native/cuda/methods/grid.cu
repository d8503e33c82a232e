#include "cuda/methods/grid.h"
#include "cuda/methods/grid_lanes.h"
#include "cuda/methods/packing.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;  // of a block

// A warp for each group of a row.
__global__ void grids_kernel(GridRule rule, DeviceView<const float> weight, size_t group, size_t its_groups,
                             size_t first_group, size_t groups, float* step, float* zero) {
  const unsigned lane = threadIdx.x % 32;
  const size_t index = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (index >= weight.rows * its_groups) return;
  const size_t row = index / its_groups, g = index % its_groups, begin = g * group;
  const size_t width = weight.columns - begin < group ? weight.columns - begin : group;
  const float* w = weight.data + row * weight.stride + begin;
  float least = 0, most = 0;
  for (size_t j = lane; j < width; j += 32) {
    least = fminf(least, w[j]);
    most = fmaxf(most, w[j]);
  }
  const GridStep grid = warp_grid(rule, warp_range(rule, least, most), lane, [&](const auto& add) {
    for (size_t j = 0; j < width; ++j) add(w[j]);
  });
  if (lane == 0) {
    step[row * groups + first_group + g] = grid.step;
    zero[row * groups + first_group + g] = grid.zero;
  }
}

__global__ void codes_kernel(float highest, DeviceView<const float> weight, size_t group, size_t groups,
                             const float* step, const float* zero, uint8_t* codes) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= weight.rows * weight.columns) return;
  const size_t row = i / weight.columns, j = i % weight.columns, at = row * groups + j / group;
  codes[i] = uint8_t(
      unsigned(grid_code(weight.data[row * weight.stride + j], GridStep{step[at], zero[at]}, highest)));
}

}  // namespace

void fit_grids(Device& device, const Recipe& recipe, DeviceView<const float> weight, size_t group,
               DeviceGrids& grids, size_t first_group) {
  const size_t its_groups = (weight.columns + group - 1) / group;
  launch(device, grids_kernel, Grid{dim3(parts(weight.rows * its_groups, kWarps)), dim3(32 * kWarps)},
         GridRule::of(recipe), weight, group, its_groups, first_group, grids.groups, grids.step.data(),
         grids.zero.data());
}

void grid_codes(Device& device, const Recipe& recipe, DeviceView<const float> weight, size_t group,
                const DeviceGrids& grids, uint8_t* codes) {
  launch(device, codes_kernel, one_each(weight.rows * weight.columns), highest_code(recipe.bits), weight,
         group, grids.groups, grids.step.data(), grids.zero.data(), codes);
}

PackedLinear coded_linear(Device& device, const Recipe& recipe, size_t rows, size_t columns,
                          const uint8_t* codes, const DeviceGrids& grids) {
  PackedLinear linear;
  Layout& l = linear.layout;
  l.method = recipe.method;
  l.rows = rows;
  l.columns = columns;
  l.scale_type = recipe.scale_type;
  l.bits = recipe.bits;
  l.group = recipe.group_columns(columns);
  l.symmetric = recipe.symmetric;
  linear.tensors.push_back(
      code_tensor(device, "code", {codes, rows, columns, columns, unsigned(recipe.bits)}));
  linear.tensors.push_back(
      scalar_tensor(device, "code_scale", l.scale_type, {rows, grids.groups}, grids.step.data()));
  if (!l.symmetric)
    linear.tensors.push_back(byte_tensor(device, "code_zero", {rows, grids.groups}, grids.zero.data()));
  return linear;
}

}  // namespace signum::cuda
