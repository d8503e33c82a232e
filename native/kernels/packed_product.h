// y = W x straight from a linear's packed tensors: no dense copy is ever made (docs/FORMAT.md has the
// layouts).
#pragma once

#include <span>

#include "base/matrix.h"
#include "methods/packed_view.h"

namespace signum {

class ThreadPool;

// out [tokens, rows] = beta * out + x W^T, x [tokens, columns], F32; a product is equal to the decoder's
// within 1e-5 of sum |w x|. A few tokens go straight to the planes, for more a few rows at a time are
// decoded; the result does not depend on the pool's size. `linear` must have passed check_view().
void multiply(const PackedView& linear, ConstView x, float beta, View out, ThreadPool& pool);

// Linears that read the same x, at once: one after another they would leave threads waiting for each other.
struct PackedPart {
  const PackedView* linear;
  View out;  // [tokens, rows]
};
void multiply(std::span<const PackedPart> parts, ConstView x, float beta, ThreadPool& pool);

}  // namespace signum
