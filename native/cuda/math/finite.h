// The check for NaN and infinity on the card.
#pragma once

#include "cuda/runtime.h"

namespace signum::cuda {

// No NaN, no infinity. Waits for the stream.
bool all_finite(Device& device, DeviceView<const float> a);

}  // namespace signum::cuda
