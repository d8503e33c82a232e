// A block on its way through the methods that propagate inside it.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda {

inline constexpr unsigned kMostWidth = 256;  // of a block: the columns that a row has in registers

struct BlockColumns {
  DeviceView<const float> weight;  // compensated weights [rows, width], width <= kMostWidth
  DeviceView<const float> u, r;    // [width, width]: of the block; r_jj = 1 / u_jj
  uint8_t* codes;                  // [rows, width] out, codes_stride apart
  size_t codes_stride;
  DeviceView<float> quantized = {}, error = {};  // [rows, width] out, where they are wanted
};

}  // namespace signum::cuda
