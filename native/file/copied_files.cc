#include "file/copied_files.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "file/json_file.h"
#include "file/sha256.h"

namespace signum {
namespace {

constexpr const char* kNames[] = {"added_tokens.json",
                                  "chat_template.jinja",
                                  "chat_template.json",
                                  "config.json",
                                  "generation_config.json",
                                  "merges.txt",
                                  "special_tokens_map.json",
                                  "tokenizer.json",
                                  "tokenizer.model",
                                  "tokenizer_config.json",
                                  "vocab.json",
                                  "vocab.txt"};

}  // namespace

std::vector<std::string> files_to_copy(const std::string& model) {
  std::vector<std::string> names;
  for (const char* name : kNames)
    if (std::filesystem::is_regular_file(std::filesystem::path(model) / name)) names.push_back(name);
  return names;
}

Status copy_files(const std::string& model, const std::string& target, const std::vector<std::string>& names,
                  const std::string& source) {
  const auto hashes = nlohmann::json::parse(source, nullptr, false);
  for (const std::string& name : names) {
    const std::string from = model + "/" + name;
    SIGNUM_TAKE(const std::string text, read_text_file(from));
    if (hashes.value(name, "") != sha256_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}))
      return Error{"model_changed", from + " was written to since the run began.", ""};
    SIGNUM_TRY(write_text_file(target + "/" + name, text));
  }
  return {};
}

}  // namespace signum
