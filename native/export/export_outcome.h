// What every export is asked and what it says when it is done, whichever format it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/rounding_error.h"
#include "run/observer.h"

namespace signum {

// Called with the bytes that a phase has done and all of them; its error ends the export. Phases: fit (types
// are looked for), write, verify.
using ExportProgress = std::function<Status(Phase phase, uint64_t done, uint64_t total)>;

struct ExportedFile {
  std::string name;  // inside the output folder; of a format of one file, the file's
  uint64_t bytes = 0;
  std::string sha256;
};

// All tensors that are stored in one type, and what that type adds to what the model decodes to.
struct ExportedType {
  std::string type;  // "F16"
  size_t tensors = 0;
  RoundingError error;
};

// A tensor whose type was not the one asked for, or was looked for.
struct ChosenType {
  std::string tensor;  // as the file names it
  std::string type;
  std::string reason;  // one sentence; why not a smaller one
  RoundingError error;
};

struct ExportOutcome {
  std::vector<ExportedFile> files;
  std::vector<ExportedType> types;          // in the order in which they first come
  std::vector<ChosenType> chosen;           // in file order
  std::optional<std::string> architecture;  // GGUF: llama.cpp's name of the family
  std::vector<std::string> notes;           // what is otherwise than in the folder: one sentence each

  void count(const std::string& type, const RoundingError& error);
  size_t tensors() const;
  uint64_t bytes() const;
  RoundingError error() const;
};

// Error export_unverified: what was read back is not what was written.
Error unverified(const std::string& file, const std::string& what);

}  // namespace signum
