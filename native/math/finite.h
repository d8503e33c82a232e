// The one check for NaN and infinity.
#pragma once

#include <cstddef>

#include "base/matrix.h"

namespace signum {

class ThreadPool;

// No NaN, no infinity in x [n].
bool all_finite(const float* x, size_t n);
bool all_finite(ConstView a, ThreadPool& pool);

}  // namespace signum
