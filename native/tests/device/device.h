// The device of a test program: the emulated one or the card, whichever it is linked with. Without a card
// main.cc ends the program as skipped.
#pragma once

#include "cuda/runtime.h"

namespace signum {

cuda::Device& test_device();

}  // namespace signum
