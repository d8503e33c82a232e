// The errors of a quantized linear, on the card (methods/quantize.h says what they are).
#pragma once

#include <optional>

#include "cuda/card.h"
#include "cuda/matrix.h"
#include "methods/quantize.h"

namespace signum::cuda {

// tr(W H W^T): products in F32, sums in F64. weight [rows, columns], hessian [columns, columns]. Waits for
// the stream.
double output_power(Card& card, const DeviceMatrix& weight, const DeviceMatrix& hessian);
// power: output_power(weight, *hessian), where it is known; it is half of the work. hessian may be null.
// Waits for the stream.
LinearErrors linear_errors(Card& card, const DeviceMatrix& weight, const DeviceMatrix& decoded,
                           const DeviceMatrix* hessian, std::optional<double> power = {});

}  // namespace signum::cuda
