// The best fit of a block of signum-rc, and what is stored of it.
#pragma once

#include "cuda/methods/signum_fit.h"

namespace signum::cuda {

// Takes scales and codes [rows, width] over to `best` where costs[index] is below all costs before it; always
// the first ones. The decision is made on the card.
void keep_better(Device& device, const double* costs, int index, const PlaneCounts& counts, size_t width,
                 const SignumScales& now, const uint8_t* codes, const SignumScales& best,
                 uint8_t* best_codes);

// The linear that is being filled. Planes that no column has are null.
struct SignumLinear {
  DType type;
  bool column_scales;
  float* row_scale[kPlanes];     // [rows, blocks[k]], as stored
  float* column_scale[kPlanes];  // [columns of the plane], as stored
  size_t blocks[kPlanes];
  uint8_t* codes;  // [rows, columns]
  size_t columns;
};

// Block `block` that begins at column `start`: scales with mean |column scale| = 1, rounded to the storage
// type, and the weights that they and the codes [rows, width] decode to. scales are overwritten.
void store_block(Device& device, const SignumLinear& linear, size_t block, size_t start,
                 const PlaneCounts& counts, const SignumScales& scales, const uint8_t* codes,
                 DeviceView<float> quantized);

}  // namespace signum::cuda
