// How the size of the searched matrix T decides which group a weight is in.
#pragma once

#include <cstddef>

namespace signum {

inline constexpr size_t kMaxSplits = 3;
inline constexpr size_t kMaxGroups = kMaxSplits + 1;

// Group 0 has |T| >= at[0], the next ones |T| >= at[1], ... of what is left, the last one the rest.
struct Splits {
  size_t count = 0;
  float at[kMaxSplits] = {};  // never rising

  size_t groups() const { return count + 1; }
};

}  // namespace signum
