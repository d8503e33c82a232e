// Writing the shards and the index of a packed folder (docs/FORMAT.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "file/safetensors.h"
#include "methods/packed_linear.h"
#include "model/model.h"
#include "run/fingerprint.h"

namespace signum {

struct NamedLinear {
  std::string name;
  PackedLinear packed;
  bool stores_order = false;  // set by share_orders
  // Of its tensors, and of the order where it is stored here.
  size_t stored_bytes() const;
};

// Linears that hold an equal order name one tensor, under the first of them.
void share_orders(std::vector<NamedLinear>& linears);

// "model-00001-of-00005.safetensors" for index 0 of 5.
std::string shard_name(size_t index, size_t count);

// The linears, the tensors that are copied, `extra`, and the packed tables, under the metadata of FORMAT.md.
// Errors: those of write_safetensors.
Status write_shard(const std::string& path, const std::vector<NamedLinear>& linears,
                   const std::vector<const TensorView*>& copied, const std::vector<TensorToWrite>& extra,
                   const Fingerprint& fingerprint, const std::vector<NamedLinear>& tables = {});

// Opens a shard that write_shard made and holds it against this run and its own hashes. Error packed_broken.
Result<std::shared_ptr<const class PackedShard>> verified_shard(const std::string& path,
                                                                const Fingerprint& fingerprint);

// What a packed folder holds, counted in its files.
struct PackedNumbers {
  double nominal_bits = 0;
  double linear_bits = 0;
  double file_bits = 0;
  uint64_t file_bytes = 0;
  uint64_t linear_bytes = 0;
  size_t weights = 0;
};

// From shards 0 to count - 1 of the folder: the index file, written; and the numbers. model: the original.
// The linear bits count its linears that were kept too, at the width that they are stored in.
Status write_index(const std::string& folder, size_t count);
Result<PackedNumbers> count_packed(const std::string& folder, size_t count, const Model& model);

}  // namespace signum
