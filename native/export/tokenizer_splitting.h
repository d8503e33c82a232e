// How a byte-level tokenizer splits a text into words before it merges, by llama.cpp's names.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace signum {

// The name in tokenizer.ggml.pre for the pre_tokenizer of a tokenizer.json. llama.cpp takes words that are in
// the vocabulary whole under some names only; whole_words: whether this tokenizer does (ignore_merges).
// Nothing where llama.cpp has no such splitting.
std::optional<std::string> splitting_name(const nlohmann::json& pre_tokenizer, bool whole_words);

}  // namespace signum
