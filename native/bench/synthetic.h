// Seeded synthetic linears: heavy-tailed weights and a Hessian of correlated inputs whose channels differ in
// size, as in a trained model.
#pragma once

#include "base/matrix.h"

namespace signum {

class ThreadPool;

struct SyntheticLinear {
  Matrix weight;   // [rows, columns]
  Matrix hessian;  // [columns, columns]
};
SyntheticLinear synthetic_linear(size_t rows, size_t columns, uint64_t seed, ThreadPool& pool);

}  // namespace signum
