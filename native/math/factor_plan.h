// What factorize() decides before and around the Cholesky factor itself, wherever that is made: from the
// Hessian's diagonal alone.
#pragma once

#include <functional>

#include "math/factor.h"

namespace signum {

struct FactorPlan {
  std::vector<float> diagonal;  // of what is factored, by input column, undamped: 1 where a column is dead
  double mean = 0;              // of `diagonal`: what the damping is a share of
  bool identity = false;        // every column is dead: the Hessian is taken as the identity
  // As in Factor.
  std::vector<uint8_t> dead;
  std::shared_ptr<const std::vector<uint32_t>> order;
  std::vector<float> stored_diagonal;  // Factor::diagonal
  std::vector<std::string> notes;
};

// diagonal: of the Hessian, finite.
FactorPlan plan_factor(std::vector<float> diagonal, const FactorOptions& options);

// F32, then F64, then three tenfold raises of the damping, until attempt(f64, damping) holds: `used` is set,
// notes are added. Error factor_failed.
Status climb_damping(double damping, const std::function<bool(bool f64, double damping)>& attempt,
                     double* used, std::vector<std::string>* notes);

}  // namespace signum
