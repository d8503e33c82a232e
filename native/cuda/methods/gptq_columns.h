// One block of gptq (methods/gptq_kernels.h).
#pragma once

#include "cuda/methods/block_columns.h"
#include "cuda/methods/grid.h"

namespace signum::cuda {

// Whole groups of `group` columns, the first of them first_group: each grid is made when its columns are
// reached and written to grids. With group 0 all columns have the grid of first_group, which is there
// already.
void gptq_columns(Device& device, const Recipe& recipe, size_t group, size_t first_group, DeviceGrids& grids,
                  const BlockColumns& block);

}  // namespace signum::cuda
