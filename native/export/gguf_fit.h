// Which type each matrix of a GGUF file gets.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "export/export_outcome.h"
#include "export/gguf_file.h"

namespace signum {

class ThreadPool;

// A tensor whose type was chosen here, by its place in the list.
struct GgufChoice {
  size_t tensor = 0;
  std::string reason;  // why no smaller type fits: the first row that does not, or the width of its rows
};

// type: for all matrices; those whose rows are no whole blocks of it get F16. Without one, exact fit: every
// matrix gets the smallest of Q1_0, Q2_0, Q4_0 and Q8_0 that holds all its numbers exactly, else F16.
// All numbers are read for that (phase fit). Errors: those of `produce` and `progress`.
Result<std::vector<GgufChoice>> choose_types(std::vector<GgufTensor>& tensors, std::optional<GgufType> type,
                                             const ExportProgress& progress, ThreadPool& pool);

}  // namespace signum
