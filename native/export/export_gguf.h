// A model, original or packed, as one GGUF file that llama.cpp runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/gguf_file.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

struct GgufExport {
  std::string architecture;  // llama.cpp's name of the family
  size_t tensors = 0;
  uint64_t bytes = 0;              // of the file
  std::vector<std::string> notes;  // what is otherwise than in the folder: one sentence each
};

// Writes the file whole or not at all; one that is there is replaced. Quantized linears are written as what
// they decode to. Errors: export_unsupported, those of read_vocabulary, write_gguf and reading weights.
Result<GgufExport> export_gguf(const Model& model, const std::string& output, GgufType type,
                               const WriteProgress& progress, ThreadPool& pool);

}  // namespace signum
