// Stored numbers -> F32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace signum {

// Converts F32, F16 or BF16 elements, at any alignment, exactly.
void to_f32(DType dtype, const uint8_t* bytes, size_t count, float* out);

}  // namespace signum
