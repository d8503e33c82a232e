// The smallest operations on arrays of the card, in the order of its stream.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda {

// x[0, n) = value.
void fill(Device& device, float* x, size_t n, float value);
// F16 (half) or BF16 to F32. from, to [n]
void widen(Device& device, const uint16_t* from, size_t n, bool half, float* to);
// to = from, of the same shape.
void copy(Device& device, DeviceView<const float> from, DeviceView<float> to);

}  // namespace signum::cuda
