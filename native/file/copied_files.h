// The files of a model folder that a packed folder takes over byte for byte.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace signum {

// config.json, generation_config.json and the tokenizer's files, those that are there, sorted.
std::vector<std::string> files_to_copy(const std::string& model);
// Error model_changed when a file has not the hash that `source` (JSON: name -> sha256) says.
Status copy_files(const std::string& model, const std::string& target, const std::vector<std::string>& names,
                  const std::string& source);

}  // namespace signum
