// Means with their errors, and quantiles.
#pragma once

#include <array>
#include <optional>
#include <span>

namespace signum {

struct Estimate {
  double value = 0;
  std::optional<double> standard_error;  // absent for a single value
};

// Mean of x, and sqrt(sum (x - mean)^2 / (n (n - 1))). n >= 1.
Estimate estimate(std::span<const double> x);

inline constexpr std::array kPercents = {0.1, 1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9};

struct Distribution {
  Estimate mean;
  double minimum = 0;
  double maximum = 0;
  // Of kPercents: rank p (n - 1), linear between neighbours. All NaN when a value is.
  std::array<double, kPercents.size()> percentiles = {};
};

// n >= 1.
Distribution distribution(std::span<const double> x);

}  // namespace signum
