#include "export/export_outcome.h"

#include <algorithm>

namespace signum {

void ExportOutcome::count(const std::string& type, const RoundingError& error) {
  auto found = std::ranges::find(types, type, &ExportedType::type);
  if (found == types.end()) found = types.insert(types.end(), {type, 0, {}});
  ++found->tensors;
  found->error.add(error);
}

size_t ExportOutcome::tensors() const {
  size_t all = 0;
  for (const ExportedType& type : types) all += type.tensors;
  return all;
}

uint64_t ExportOutcome::bytes() const {
  uint64_t all = 0;
  for (const ExportedFile& file : files) all += file.bytes;
  return all;
}

RoundingError ExportOutcome::error() const {
  RoundingError all;
  for (const ExportedType& type : types) all.add(type.error);
  return all;
}

Error unverified(const std::string& file, const std::string& what) {
  return {"export_unverified", "What was read back from " + file + " is not what was written: " + what + ".",
          "The disk, or a bug: nothing was kept."};
}

}  // namespace signum
