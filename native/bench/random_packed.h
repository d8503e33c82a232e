// Packed linears of random planes: as large, and as slow, as those of a method that searched for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "methods/packed_linear.h"

namespace signum::bench {

// "rtn2", "rtn3", "rtn4", "rtn8" (groups of 64), "signum-rc 0", "signum-rc 0.25", "signum-rc 1" (second
// plane), "fdb" (groups of 64), "billm", "arb-x + bitmap", "arb-rc", "arb-rc + bitmap", "pb-llm" (10 %
// salient, 8 bits); nothing where the name is none of them.
std::optional<Layout> layout_named(const std::string& name, size_t rows, size_t columns);

// Random planes, every 12th column salient; means of zero, column scales of one, other scales such that
// weights are about `spread` in size.
PackedLinear random_packed(const Layout& layout, float spread, uint64_t seed);

// A random permutation of the columns.
std::shared_ptr<const std::vector<uint32_t>> random_order(size_t columns, uint64_t seed);

}  // namespace signum::bench
