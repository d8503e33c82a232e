// A Hugging Face folder in the making: safetensors files, an index where there are several, the model's other
// files; written, read back and held against the model before it gets its name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/export_outcome.h"
#include "file/safetensors.h"

namespace signum {

class Model;

using FindTensor = std::function<const TensorView*(const std::string& name)>;
using Done = std::function<Status(uint64_t bytes)>;

// A tensor of the folder, and how it is known that it arrived there.
struct FolderTensor {
  StreamedTensor stored;
  std::string type;  // under which ExportOutcome counts it
  // Holds what was read back (its dtype and shape are right) against the model, tells its bytes as they are
  // done, and adds what the type loses. `find`: the other tensors. Error export_unverified.
  std::function<Status(const TensorView& read, const FindTensor& find, const Done& done,
                       RoundingError& error)>
      verify;
};

// Error export_unverified about a tensor or a file.
Error differs(const std::string& name);

// The model's own files that go along: config.json, generation_config.json, the tokenizer's. Name -> bytes.
Result<std::map<std::string, std::string>> files_of(const Model& model);

// tensors: in the order in which they go into files of at most shard_bytes of tensors each (one tensor may be
// larger; 0: one file). texts: the other files. All of it is written, read back and compared before the
// folder gets its name; `model` must be as it was then (model_changed). The outcome has files, sorted by
// name, and types. Errors: write_failed (also when `output` is there), disk_full, export_unverified, those of
// the tensors and of progress.
Result<ExportOutcome> write_model_folder(const Model& model, const std::string& output,
                                         std::vector<FolderTensor> tensors, uint64_t shard_bytes,
                                         const std::map<std::string, std::string>& texts,
                                         const ExportProgress& progress);

}  // namespace signum
