// BiLLM and the ARB methods (billm, arb, arb-x, arb-rc) on the card, with all their options. What a block's
// search finds stays there: the host puts the kernels of one block after another into the stream and reads
// nothing back until the linear is done.
#pragma once

#include "cuda/card.h"
#include "cuda/math/factor.h"
#include "cuda/matrix.h"
#include "methods/quantize.h"

namespace signum::cuda {

// weight [rows, columns] is consumed. factor: made with factor_options(recipe). Without `order`.
PackedLinear quantize_grouped(Card& card, const Recipe& recipe, DeviceMatrix weight,
                              const DeviceFactor& factor);

}  // namespace signum::cuda
