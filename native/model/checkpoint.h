// The safetensors files of a model folder, and where each tensor lies.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "file/safetensors.h"

namespace signum {

struct ModelFile {
  std::string name;  // inside the folder
  size_t bytes = 0;
};

struct Checkpoint {
  std::vector<ModelFile> files;  // the index if there is one, then the shards by name
  std::map<std::string, std::shared_ptr<SafetensorsFile>> shards;  // by file name
  std::map<std::string, const TensorView*> tensors;                // every stored tensor by name
  std::map<std::string, std::string> shard_of;                     // tensor name -> file name
  bool packed = false;  // the index's metadata has signum_format (docs/FORMAT.md)
};

// Opens model.safetensors or, without it, the shards that model.safetensors.index.json names. Links are
// followed. Errors: checkpoint_not_safetensors, shard_missing, shard_broken, tensor_missing (named by the
// index, in no shard), packed_broken (a format version that is not known).
Result<Checkpoint> open_checkpoint(const std::string& folder);

}  // namespace signum
