// Integer grids of rows or groups, and the codes of rounding to nearest (methods/grid.h).
#pragma once

#include "cuda/runtime.h"
#include "methods/quantize.h"

namespace signum::cuda {

// [rows, groups], as stored.
struct DeviceGrids {
  Array<float> step, zero;
  size_t groups = 0;

  DeviceGrids(Device& device, size_t rows, size_t groups_)
      : step(device, rows * groups_, "steps"), zero(device, rows * groups_, "zeros"), groups(groups_) {}
};

// The grids of weight [rows, columns] in groups of `group` columns into groups from `first_group` on. Of the
// recipe: bits, symmetric, clip_search, scale_type.
void fit_grids(Device& device, const Recipe& recipe, DeviceView<const float> weight, size_t group,
               DeviceGrids& grids, size_t first_group = 0);
// codes [rows, columns] out: the nearest code of every weight.
void grid_codes(Device& device, const Recipe& recipe, DeviceView<const float> weight, size_t group,
                const DeviceGrids& grids, uint8_t* codes);

// The tensors of rtn and gptq: codes [rows, columns] as bytes.
PackedLinear coded_linear(Device& device, const Recipe& recipe, size_t rows, size_t columns,
                          const uint8_t* codes, const DeviceGrids& grids);

}  // namespace signum::cuda
