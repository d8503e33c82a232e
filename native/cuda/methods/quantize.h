// Turning one linear's weights into a PackedLinear on the card: the only entry to the methods.
#pragma once

#include <string>

#include "cuda/card.h"
#include "cuda/math/factor.h"
#include "cuda/matrix.h"
#include "methods/quantize.h"

namespace signum::cuda {

// What of a recipe the card cannot do, as a sentence; empty where it can do all. To be asked before a run
// starts: quantize() refuses it with Fault recipe_device_unsupported.
std::string unsupported(const Recipe& recipe);

// weight [rows, columns] is consumed. factor: of the linear's input, made with factor_options(recipe); null
// only where needs_hessian is false. The same results as signum::quantize (docs/METHODS.md), and the same
// refusals, as Fault.
PackedLinear quantize(Card& card, const Recipe& recipe, DeviceMatrix weight, const DeviceFactor* factor);

}  // namespace signum::cuda
