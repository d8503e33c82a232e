// A tiny model with a tokenizer, exported and read back.
#pragma once

#include <nlohmann/json.hpp>

#include "base/pool.h"
#include "export/export_gguf.h"
#include "tests/gguf_reader.h"
#include "tests/tiny_model.h"

inline const signum::ExportProgress kSilent = [](signum::Phase, uint64_t, uint64_t) {
  return signum::Status();
};

// Sentencepiece BPE over a few letters; ids 5 and 9 to 11 are nobody's.
inline nlohmann::json pieces() {
  return nlohmann::json::parse(R"json({
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}]},
    "pre_tokenizer": null,
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]},
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true},
                     {"id": 12, "content": "\u2581\u2581", "special": false},
                     {"id": 13, "content": "<end>", "special": true}],
    "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true,
              "vocab": {"<unk>": 0, "<s>": 1, "<0x0A>": 2, "a": 3, "b": 4, "ab": 6, "\u2581ab": 7, "\u2581": 8},
              "merges": ["a b", ["\u2581", "ab"], "\u2581a b"]}})json");
}

// The numbers of a tensor of the model.
inline std::vector<float> values_of(const TinyModel& model, const std::string& name) {
  return model.tensors.at(name).values;
}

struct TinyExport {
  TemporaryFolder folder;
  TinyModel model;
  explicit TinyExport(TinyModel tiny = random_tiny_model(3)) : model(std::move(tiny)) {
    write_model(model, source());
    write_bytes(source() + "/tokenizer.json", pieces().dump());
  }
  std::string source() const { return folder / "tiny"; }
  std::string output() const { return folder / "tiny.gguf"; }
  signum::Result<signum::ExportOutcome> run(
      const signum::ExportProgress& progress = kSilent,
      std::optional<signum::GgufType> type = signum::GgufType::F32) const {
    signum::ThreadPool pool(2);
    auto opened = signum::Model::open(source());
    if (!opened.ok()) return opened.error();
    return export_gguf(*opened.value(), output(), {.type = type}, progress, pool);
  }
};
