// What the CPU and a card share of fdb's fit (fdb_fit.h).
#pragma once

#include "base/both.h"

namespace signum {

// Steps that the search tries, in units of max|w| / 2: 2/8 to 16/8, of either sign. At 1/4 most weights of a
// wide group are beyond the levels; at 2 the levels are those of {-1, 0, 1} times max|w|.
inline constexpr int kLeastStepEighths = 2, kMostStepEighths = 16;
// Turns of refit and assignment, unless nothing changes before: normal weights need four on average in groups
// of 64, six in groups of 128.
inline constexpr int kFdbRounds = 30;

// (a1, a2) that minimizes the row's error with its planes as they are, from FdbSums. Where they do not
// determine both (an empty plane, or two equal ones) what is free stays.
SIGNUM_BOTH inline void fdb_refit(double n1, double n2, double n12, double x1, double x2, double& a1,
                                  double& a2) {
  const double determinant = n1 * n2 - n12 * n12;
  if (determinant > 0) {
    a1 = (n2 * x1 - n12 * x2) / determinant;
    a2 = (n1 * x2 - n12 * x1) / determinant;
  } else if (n12 > 0) {
    a2 = x1 / n1 - a1;
  } else if (n1 > 0) {
    a1 = x1 / n1;
  } else if (n2 > 0) {
    a2 = x2 / n2;
  }
}

}  // namespace signum
