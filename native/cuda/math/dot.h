// Inner products of matrices in F64, in two stages with a fixed order.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda {

// How many parts an inner product comes in.
inline constexpr unsigned kDotParts = 256;
// parts [kDotParts]: sums of a .* b over bands of rows, a and b of one shape. The whole is their sum.
void dot(Device& device, DeviceView<const float> a, DeviceView<const float> b, double* parts);
// out = a - b, of one shape.
void subtract(Device& device, DeviceView<const float> a, DeviceView<const float> b, DeviceView<float> out);

}  // namespace signum::cuda
