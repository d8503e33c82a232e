// y = W x straight from a linear's packed tensors: no dense copy is ever made (docs/FORMAT.md has the
// layouts).
#pragma once

#include <map>
#include <span>
#include <string>

#include "base/error.h"
#include "base/matrix.h"
#include "methods/packed_linear.h"

namespace signum {

class ThreadPool;

// A packed linear whose bytes lie somewhere else, in a mapped file for one.
struct PackedView {
  Layout layout;
  std::map<std::string, std::span<const uint8_t>> tensors;  // by role, without `order`
  std::shared_ptr<const std::vector<uint32_t>> order;       // null without
};
// Valid as long as `linear` is.
PackedView view_of(const PackedLinear& linear);

// x [columns], y [rows], F32; equal to the decoder's W times x within 1e-5 of sum |w x|. The result does not
// depend on the pool's size. `linear` must have passed the checks of decode().
void multiply(const PackedView& linear, const float* x, float* y, ThreadPool& pool);

}  // namespace signum
