// Where the groups of a block split (docs/METHODS.md, billm and arb): one pass a split, each over what the
// passes before left in the last group.
#pragma once

#include "methods/mask_search.h"

namespace signum {

class ThreadPool;

// The salient columns, the first `salient` of the tiles, two orders in every group.
Splits split_salient(const Tiles& search, size_t salient, size_t passes, ThreadPool& pool);

// The columns behind the salient ones of masks.search, one order in every group. squared: T >= 0.
Splits split_others(const Recipe& recipe, const BlockMasks& masks, size_t passes, bool squared,
                    ThreadPool& pool);

}  // namespace signum
