// The vector loops of rising_cuts.cc: candidates across SIMD lanes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace signum {

// Where a candidate's step function has its steps, and the candidates a vector needs beyond the last.
enum Cut { kMiddle, kHigh, kTail, kCuts };
inline constexpr size_t kCandidatePadding = 16;
inline constexpr size_t kSlots = 8;  // numbers of a candidate and of a rank, of which five are used

// sums [n + 1][8]: of the first rows of added [n][8].
void sum_ranks(const int32_t* added, size_t n, int64_t* sums);

// One row t[0] <= ... <= t[n - 1], t >= 0; sum [n + 1]: of the first weights. thresholds [padded], ascending.
struct CutSearch {
  const float* t;
  const float* sum;
  size_t n;
  const float* thresholds;
  size_t padded;
};
// By candidate [padded]: the ranks of the cuts, the function's rise at each of them less what it falls, and
// its last value. first [n]: the first candidate whose cut lies above a rank; ranks that no cut passes are
// not written.
struct CutsOfRow {
  int32_t* rank[kCuts];
  float* height[kCuts];
  float* last;
  uint32_t* first[kCuts];
};
void find_cuts(const CutSearch& row, const CutsOfRow& cuts);

// errors [count][8] += factors * sum over cuts of height * sums[rank] and last * end, slot by slot. factors
// [count][8]: the three heights, the last value, and what is the same for all. sums [ranks][8].
struct CutScores {
  size_t count;
  const double* factors;
  const uint32_t* rank[kCuts];
  const int64_t* sums[kCuts];
  const int64_t* end;
};
void add_scores(const CutScores& scores, double* errors);

}  // namespace signum
