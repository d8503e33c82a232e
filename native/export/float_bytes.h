// F32 numbers in the bytes of another floating type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "base/error.h"
#include "base/matrix.h"

namespace signum {

// Puts the rows, one after another, into `out` as F32, F16 or BF16, rounded to nearest even. name: of the
// tensor. Error export_unsupported: a number becomes infinite.
Status to_float_bytes(DType type, ConstView rows, const std::string& name, std::vector<uint8_t>& out);

}  // namespace signum
