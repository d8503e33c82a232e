// The embedding table and the head in the packed folder: as they are stored, in F16, or as codes of 8 or 4
// bits.
#pragma once

#include <string>
#include <vector>

#include "run/run_recipe.h"
#include "run/shard.h"

namespace signum {

class ThreadPool;

// Source tensors that a packed folder holds in another form, and that form.
struct PackedTables {
  std::vector<std::string> replaced;     // names of the source's tensors
  std::vector<NamedLinear> packed;       // layouts `tables` of the last shard
  std::vector<TensorToWrite> converted;  // F16; their bytes are in `storage`
  std::vector<std::vector<uint8_t>> storage;
};

// Codes: round to nearest in groups of 64 columns with F16 scales. Errors: weights_not_finite;
// scales_overflow where a number does not fit F16.
Result<PackedTables> pack_tables(const Model& model, const TableTypes& types, ThreadPool& pool);

}  // namespace signum
