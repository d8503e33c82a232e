// What a linear is fitted to where it makes good what was lost before it (methods/correction.h), on the card.
#pragma once

#include "cuda/card.h"
#include "cuda/math/factor.h"
#include "cuda/matrix.h"

namespace signum::cuda {

// W + share (W C + D) (H + damping)^-1 [rows, columns]. weight [rows, columns]; cross C [columns, columns];
// residual D [rows, columns] or empty; factor: of the same inputs' H. The inputs are left as they are.
DeviceMatrix corrected(Card& card, const DeviceMatrix& weight, const DeviceMatrix& cross,
                       const DeviceMatrix& residual, double share, const DeviceFactor& factor);

}  // namespace signum::cuda
