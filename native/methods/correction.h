// What a linear is fitted to where it makes good what was lost before it (docs/METHODS.md, correction).
#pragma once

#include "math/factor.h"

namespace signum {

class ThreadPool;

// W + share (W C + D) (H + damping)^-1 [rows, columns]: with share 1 the weights whose outputs on the
// quantized model's inputs come closest to the original model's. weight [rows, columns]; cross C [columns,
// columns]; residual D [rows, columns] or empty; factor: of the same inputs' H.
Matrix corrected(const Matrix& weight, const Matrix& cross, const Matrix& residual, double share,
                 const Factor& factor, ThreadPool& pool);

}  // namespace signum
