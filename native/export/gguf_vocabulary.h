// A model folder's tokenizer in the form that GGUF has for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "export/gguf_file.h"

namespace signum {

struct GgufVocabulary {
  // tokenizer.ggml.token_type
  enum TokenType : int32_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

  bool pieces = false;              // sentencepiece's BPE ("llama"), else byte-level BPE ("gpt2")
  std::string splitting;            // tokenizer.ggml.pre
  std::vector<std::string> tokens;  // [rows of the embedding table]
  std::vector<int32_t> types;       // [tokens]
  std::vector<float> scores;        // [tokens], pieces only
  std::vector<std::string> merges;  // "left right", byte-level only
  std::optional<uint32_t> bos, eos, unknown, padding;
  bool add_bos = false;
  bool add_eos = false;
  bool space_first = false;        // pieces: a text is read as if a space stood before it
  std::string chat_template;       // empty: none
  std::vector<std::string> notes;  // oddities worth a warning: one sentence each

  void add_to(GgufMetadata& metadata) const;
};

// Reads tokenizer.json, tokenizer_config.json, chat_template.jinja and the ids in config.json. rows: of the
// embedding table; the vocabulary gets as many tokens. Errors: tokenizer_missing, tokenizer_broken,
// tokenizer_unsupported (neither of the two kinds), read_failed.
Result<GgufVocabulary> read_vocabulary(const std::string& folder, size_t rows);

}  // namespace signum
