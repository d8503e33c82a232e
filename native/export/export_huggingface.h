// A model, original or packed, as a Hugging Face folder with plain weights.
#pragma once

#include <cstdint>
#include <string>

#include "base/dtype.h"
#include "export/model_folder.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

struct HuggingFaceOptions {
  DType type = DType::F32;   // F32, F16 or BF16, of all tensors
  uint64_t shard_bytes = 0;  // write_model_folder
};

// Quantized linears and tables are written as what they decode to, rounded to the type. config.json and the
// tokenizer's files are copied byte for byte. Errors: export_unsupported (a number is too large for the
// type), those of write_model_folder and of reading weights.
Result<ExportOutcome> export_huggingface(const Model& model, const std::string& output,
                                         const HuggingFaceOptions& options, const ExportProgress& progress,
                                         ThreadPool& pool);

}  // namespace signum
