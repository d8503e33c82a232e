#include "export/tokenizer_splitting.h"

#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::json;

// Steps, one a line: "split EXPRESSION", "digits", "bytes" (GPT-2's own expression), "letters" (bytes without
// it).
struct Splitting {
  const char* steps;
  bool whole_words;
  const char* name;
};

#define SIGNUM_WORDS(digits)                                               \
  R"(split (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" digits \
  R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"                 \
  "\nletters\n"

#define SIGNUM_CASED_WORDS                                                                 \
  R"(split [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)" \
  R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|)" \
  R"( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"                                 \
  "\nletters\n"

constexpr Splitting kSplittings[] = {
    {"bytes\n", false, "gpt-2"},
    {"digits\nbytes\n", false, "smollm"},
    {SIGNUM_WORDS("\\p{N}{1,3}"), true, "llama-bpe"},
    {SIGNUM_WORDS("\\p{N}{1,3}"), false, "dbrx"},
    {SIGNUM_WORDS("\\p{N}"), false, "qwen2"},
    {SIGNUM_CASED_WORDS, true, "tekken"},
    {SIGNUM_CASED_WORDS, false, "tekken"},
};
#undef SIGNUM_CASED_WORDS
#undef SIGNUM_WORDS

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool flag(const Json& object, const char* key, bool otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

// False for a step that has no name here.
bool describe(const Json& step, std::string& steps) {
  if (!step.is_object()) return false;
  const std::string type = text(step, "type");
  if (type == "Sequence") {
    const auto inner = step.find("pretokenizers");
    if (inner == step.end() || !inner->is_array()) return false;
    for (const Json& one : *inner)
      if (!describe(one, steps)) return false;
    return true;
  }
  if (type == "ByteLevel") {
    if (flag(step, "add_prefix_space", true)) return false;
    steps += flag(step, "use_regex", true) ? "bytes\n" : "letters\n";
    return true;
  }
  if (type == "Digits") {
    steps += "digits\n";
    return flag(step, "individual_digits", false);
  }
  if (type == "Split") {
    const auto pattern = step.find("pattern");
    if (pattern == step.end() || !pattern->is_object()) return false;
    steps += "split " + text(*pattern, "Regex") + "\n";
    // What an expression that matches everything leaves between its matches is nothing.
    const std::string behaviour = text(step, "behavior");
    return (behaviour == "Isolated" && !flag(step, "invert", false)) ||
           (behaviour == "Removed" && flag(step, "invert", false));
  }
  return false;
}

}  // namespace

std::optional<std::string> splitting_name(const Json& pre_tokenizer, bool whole_words) {
  std::string steps;
  if (!describe(pre_tokenizer, steps)) return std::nullopt;
  for (const Splitting& known : kSplittings)
    if (steps == known.steps && whole_words == known.whole_words) return known.name;
  return std::nullopt;
}

}  // namespace signum
