// The factor of the damped Hessian, H = R R^T with R upper triangular (docs/METHODS.md: U = R^-1, never
// formed).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"

namespace signum {

class ThreadPool;

struct FactorOptions {
  double damping = 0.01;          // share of mean(diag H), taken after dead columns got 1
  bool descending_order = false;  // factor H with its columns in order of descending diagonal (stable)
  size_t keep_blocks = 0;         // width of the undamped diagonal blocks to keep; 0: none
  bool diagonal_only = false;     // leave `r` empty

  bool operator==(const FactorOptions&) const = default;
};

struct Factor {
  Matrix r;  // [columns, columns] upper triangular, in stored order; below the diagonal: zeros
  std::vector<uint8_t> dead;  // by stored column: 1 where diag(H) was 0 (all zeros when every column is dead)
  std::shared_ptr<const std::vector<uint32_t>> order;  // stored column -> input column; null = natural
  std::vector<Matrix>
      blocks;  // with keep_blocks: diagonal blocks of H without damping and without what was done
               // for dead columns, in stored order; of the identity when every column is dead
  std::vector<float> diagonal;  // of H without damping, in stored order: 0 where dead; of the identity when
                                // every column is dead
  double damping_used = 0;      // share that held
  std::vector<std::string> notes;  // retries and guards, for the log and a warning
};

// hessian [n, n] undamped, symmetric to the last bit (only one triangle of each pair is read). Error
// factor_failed after F64 and three tenfold raises of the damping; calibration_not_finite for NaN/Inf.
Result<Factor> factorize(const Matrix& hessian, const FactorOptions& options, ThreadPool& pool);

}  // namespace signum
