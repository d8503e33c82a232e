// What every piece of native/cuda is handed: the card and the products on it.
#pragma once

#include "cuda/math/blas.h"
#include "cuda/runtime.h"

namespace signum::cuda {

struct Card {
  Device& device;
  Blas& blas;
};

}  // namespace signum::cuda
