// A model, original or packed, as one GGUF file that llama.cpp runs.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "export/export_outcome.h"
#include "export/gguf_file.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

struct GgufOptions {
  // Of the matrices; vectors are F32. Nothing: exact fit (gguf_fit.h).
  std::optional<GgufType> type = GgufType::F32;
};

// Writes the file whole, read back and compared, or not at all; one that is there is replaced. Quantized
// linears are written as what they decode to. Errors: export_unsupported, those of read_vocabulary,
// write_gguf and reading weights.
Result<ExportOutcome> export_gguf(const Model& model, const std::string& output, const GgufOptions& options,
                                  const ExportProgress& progress, ThreadPool& pool);

}  // namespace signum
