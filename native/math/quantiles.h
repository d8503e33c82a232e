// Exact quantiles of many values without sorting them all.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace signum {

class ThreadPool;

// Linear-interpolated quantiles, as numpy.quantile: of all |x| in `parts` (finite) and `zeros` further zeros.
// Rank and interpolation in F64, rounded to F32. No values: all quantiles are 0.
std::vector<float> absolute_quantiles(std::span<const std::span<const float>> parts, size_t zeros,
                                      std::span<const double> probabilities, ThreadPool& pool);

}  // namespace signum
