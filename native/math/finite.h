// The one check for NaN and infinity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/dtype.h"
#include "base/matrix.h"

namespace signum {

class ThreadPool;

// No NaN, no infinity in x [n].
bool all_finite(const float* x, size_t n);
bool all_finite(ConstView a, ThreadPool& pool);
// The same of F32, F16 or BF16 elements as they are stored, at any alignment.
bool all_finite(DType dtype, std::span<const uint8_t> bytes, ThreadPool& pool);

}  // namespace signum
