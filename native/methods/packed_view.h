// A packed linear whose bytes lie somewhere else, in a mapped file for one, and its rows decoded one by one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "methods/packed_linear.h"

namespace signum {

struct PackedView {
  Layout layout;
  std::map<std::string, std::span<const uint8_t>> tensors;  // by role, without `order`
  std::shared_ptr<const std::vector<uint32_t>> order;       // null without

  // Empty where the layout has no such tensor.
  std::span<const uint8_t> bytes(const std::string& role) const;
};
// Valid as long as `linear` is.
PackedView view_of(const PackedLinear& linear);

// Whether every tensor of the layout is there in its size, and what they say agrees with the layout. Error
// packed_broken.
Status check_view(const PackedView& linear, ThreadPool& pool);

// Writes row i's weights in the order of the stored columns [columns]. May be called by several threads.
using RowDecoder = std::function<void(size_t i, float* stored)>;
// linear: has passed check_view, and outlives the decoder. Its scalars are kept as F32, its planes are not
// copied.
RowDecoder row_decoder(const PackedView& linear);

}  // namespace signum
