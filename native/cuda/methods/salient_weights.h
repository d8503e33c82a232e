// Which weights PB-LLM keeps at more bits (methods/salient_weights.h), found on the card: the same weights as
// on the CPU, ties included.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda {

// salient [rows, columns] out: 1 for those with the largest |w| column_weight[column] of each group of
// `group` columns, over all rows together, ties to the lower row, then column; else 0.
void find_salient(Device& device, DeviceView<const float> weight, const float* column_weight, size_t group,
                  double share, uint8_t* salient);

}  // namespace signum::cuda
