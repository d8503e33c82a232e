// Small text files: read whole, written whole or not at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace signum {

constexpr size_t kTextLimit = size_t(256)
                              << 20;  // bytes; config, index, tokenizer and state files stay far below

// Error read_failed, also for a file above the limit.
Result<std::string> read_text_file(const std::string& path, size_t limit = kTextLimit);
// path + ".partial", sync, rename, sync of the folder. Errors: disk_full, write_failed.
Status write_text_file(const std::string& path, std::string_view text);

}  // namespace signum
