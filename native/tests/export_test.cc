// GGUF files, read back by another reader; what llama.cpp makes of them is tested in electron/exports.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <fstream>

#include "export/gguf_vocabulary.h"
#include "export/tokenizer_splitting.h"
#include "file/sha256.h"
#include "tests/recorded_run.h"
#include "tests/tiny_export.h"

using namespace signum;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

Json letters() {
  return Json::parse(R"json({
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "added_tokens": [{"id": 3, "content": "<|end|>", "special": true}, {"id": 4, "content": "<tool>", "special": false}],
    "model": {"type": "BPE", "vocab": {"a": 0, "\u0120": 1, "\u0120a": 2}, "merges": ["\u0120 a"]}})json");
}

struct TokenizerFolder {
  TemporaryFolder folder;
  explicit TokenizerFolder(const Json& tokenizer, const Json& settings = Json::object()) {
    write_bytes(folder / "tokenizer.json", tokenizer.dump());
    write_bytes(folder / "tokenizer_config.json", settings.dump());
    write_bytes(folder / "config.json", R"({"bos_token_id": 1, "eos_token_id": [13, 1]})");
  }
  Result<GgufVocabulary> read(size_t rows) const { return read_vocabulary(folder.path, rows); }
};

// LLaMA's q and k rows as llama.cpp wants them, from the definition: head by head, the two halves in turn.
std::vector<float> turned(const TinyTensor& weight, size_t head) {
  const size_t columns = weight.shape[1];
  std::vector<float> out;
  for (size_t first = 0; first < weight.shape[0]; first += head)
    for (size_t pair = 0; pair < head / 2; ++pair)
      for (const size_t row : {first + pair, first + head / 2 + pair})
        out.insert(out.end(), &weight.values[row * columns], &weight.values[row * columns] + columns);
  return out;
}

}  // namespace

TEST_CASE("a LLaMA as GGUF: names, sizes and every number") {
  TinyExport tiny;
  const auto done = tiny.run();
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  CHECK(done.value().architecture == "llama");
  CHECK(done.value().bytes() == fs::file_size(tiny.output()));
  const ReadGguf file = GgufReader(tiny.output()).read();
  CHECK(done.value().tensors() == file.names.size());
  CHECK(file.names.front() == "token_embd.weight");
  CHECK(file.names.back() == "output.weight");
  CHECK(file.text("general.architecture") == "llama");
  CHECK(file.text("general.name") == "tiny");
  CHECK(file.number("llama.embedding_length") == 24);
  CHECK(file.number("llama.feed_forward_length") == 40);
  CHECK(file.number("llama.block_count") == 2);
  CHECK(file.number("llama.attention.head_count") == 6);
  CHECK(file.number("llama.attention.head_count_kv") == 2);
  CHECK(file.number("llama.attention.key_length") == 10);
  CHECK(file.number("llama.rope.dimension_count") == 10);
  CHECK(file.number("llama.rope.freq_base") == 10000);
  CHECK(file.number("llama.attention.layer_norm_rms_epsilon") == 1e-5f);
  CHECK(file.number("llama.context_length") == 160);
  CHECK(file.texts("tokenizer.ggml.tokens").size() == 37);

  CHECK(file.tensors.at("token_embd.weight").shape == std::vector<uint64_t>{24, 37});
  CHECK(file.tensors.at("blk.1.attn_norm.weight").shape == std::vector<uint64_t>{24});
  const std::map<std::string, std::string> same = {
      {"token_embd.weight", "model.embed_tokens.weight"},
      {"blk.1.attn_norm.weight", "model.layers.1.input_layernorm.weight"},
      {"blk.1.ffn_norm.weight", "model.layers.1.post_attention_layernorm.weight"},
      {"blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight"},
      {"blk.0.attn_output.weight", "model.layers.0.self_attn.o_proj.weight"},
      {"blk.1.ffn_gate.weight", "model.layers.1.mlp.gate_proj.weight"},
      {"blk.1.ffn_up.weight", "model.layers.1.mlp.up_proj.weight"},
      {"blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"},
      {"output_norm.weight", "model.norm.weight"},
      {"output.weight", "lm_head.weight"}};
  for (const auto& [name, source] : same) {
    CAPTURE(name);
    CHECK(file.tensors.at(name).values == values_of(tiny.model, source));
  }
  for (const char* which : {"q", "k"}) {
    const auto& weight =
        tiny.model.tensors.at(std::string("model.layers.1.self_attn.") + which + "_proj.weight");
    CHECK(file.tensors.at(std::string("blk.1.attn_") + which + ".weight").values == turned(weight, 10));
  }
}

TEST_CASE("a packed model is written as what it decodes to, and twice the same bytes") {
  TinyRun tiny;
  RecordingObserver observer;
  const QuantizeOutcome outcome = run_to_end(tiny.job("signum-rc"), observer);
  write_bytes(outcome.packed + "/tokenizer.json", pieces().dump());
  ThreadPool pool(2);
  const auto model = Model::open(outcome.packed).value();
  const std::string path = tiny.folder / "packed.gguf";
  const auto done = export_gguf(*model, path, {.type = GgufType::F32}, kSilent, pool);
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  const ReadGguf file = GgufReader(path).read();
  CHECK(file.text("general.name") == "run");
  const LinearInfo& up = model->linears_of(2)[5];
  const Matrix decoded = model->weight(up, pool).value();
  CHECK(file.tensors.at("blk.2.ffn_up.weight").values ==
        std::vector<float>(decoded.data(), decoded.data() + decoded.size()));
  const std::string first = read_bytes(path);
  REQUIRE(export_gguf(*model, path, {.type = GgufType::F32}, kSilent, pool).ok());
  CHECK(read_bytes(path) == first);
}

TEST_CASE("an export that is cancelled, or fails late, leaves nothing") {
  TinyExport tiny;
  for (const Phase when : {Phase::Write, Phase::Verify}) {
    size_t calls = 0;
    const auto cancelled = tiny.run([&](Phase phase, uint64_t done, uint64_t total) -> Status {
      CHECK(done <= total);
      if (phase != when || ++calls < 5) return {};
      return Error{"cancelled", "", ""};
    });
    CHECK(end_of(cancelled) == "cancelled ");
    CHECK_FALSE(fs::exists(tiny.output()));
    CHECK_FALSE(fs::exists(tiny.output() + ".partial"));
  }

  tiny.model.tensors.at("lm_head.weight").values.back() = std::numeric_limits<float>::quiet_NaN();
  write_model(tiny.model, tiny.source());
  CHECK(end_of(tiny.run()) == "weights_not_finite The tensor lm_head.weight holds NaN or infinity.");
  CHECK_FALSE(fs::exists(tiny.output()));
  CHECK_FALSE(fs::exists(tiny.output() + ".partial"));
}

TEST_CASE("F16 and BF16: every number rounded to nearest even, and the error that this adds") {
  TinyExport tiny;
  const std::vector<float> meant = values_of(tiny.model, "model.layers.0.mlp.up_proj.weight");
  for (const auto& [type, step] : {std::pair(GgufType::F16, 0x1p-11), std::pair(GgufType::BF16, 0x1p-8)}) {
    const auto done = tiny.run(kSilent, type);
    REQUIRE_MESSAGE(done.ok(), end_of(done));
    const ReadGguf file = GgufReader(tiny.output()).read();
    CHECK(file.number("general.file_type") == (type == GgufType::F16 ? 1 : 32));
    const ReadTensor& up = file.tensors.at("blk.0.ffn_up.weight");
    CHECK(up.type == uint32_t(type));
    CHECK(file.tensors.at("blk.0.ffn_norm.weight").type == 0);
    for (size_t i = 0; i < meant.size(); ++i) {
      // The stored number is the nearest: half a unit of its last digit away at most.
      CHECK(std::abs(up.values[i] - meant[i]) <= std::max(step * std::abs(meant[i]), 0x1p-25));
    }
    const ExportOutcome& outcome = done.value();
    REQUIRE(outcome.types.size() == 2);
    CHECK(outcome.types[0].type == (type == GgufType::F16 ? "F16" : "BF16"));
    CHECK(outcome.types[0].error.relative() > step / 16);
    CHECK(outcome.types[0].error.relative() < step);
    CHECK(outcome.types[1].type == "F32");
    CHECK(outcome.types[1].error.exact());
    CHECK(outcome.files[0].sha256 == sha256_file(tiny.output()).value());
  }
}

TEST_CASE("a number that the type cannot hold is refused, with the tensor") {
  TinyExport tiny;
  tiny.model.tensors.at("model.layers.1.mlp.up_proj.weight").values[5] = -65520;
  write_model(tiny.model, tiny.source());
  CHECK(end_of(tiny.run(kSilent, GgufType::F16)) ==
        "export_unsupported The tensor blk.1.ffn_up.weight has numbers that are too large for F16; the type "
        "bf16 or f32 holds them.");
  CHECK_FALSE(fs::exists(tiny.output() + ".partial"));
  CHECK(tiny.run(kSilent, GgufType::BF16).ok());
}

TEST_CASE("what does not read back as it was written is not kept") {
  for (const int64_t at : {int64_t(0), int64_t(40), int64_t(-1), int64_t(-3000)}) {
    TinyExport tiny;
    write_bytes(tiny.output(), "an older file");
    bool hurt = false;
    const auto spoiled = tiny.run([&](Phase phase, uint64_t done, uint64_t total) -> Status {
      if (phase != Phase::Write || done != total || std::exchange(hurt, true)) return {};
      std::fstream file(tiny.output() + ".partial", std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at, at < 0 ? std::ios::end : std::ios::beg);
      const char byte = char(file.get() ^ 1);
      file.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
      file.put(byte);
      return {};
    });
    CHECK(end_of(spoiled).starts_with("export_unverified What was read back from "));
    CHECK(read_bytes(tiny.output()) == "an older file");
    CHECK_FALSE(fs::exists(tiny.output() + ".partial"));
  }
}

TEST_CASE("a disk that ends before the file leaves the old one whole") {
  TinyExport tiny;
  write_bytes(tiny.output(), "an older file");
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit little{20'000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
  const auto full = tiny.run();
  ::setrlimit(RLIMIT_FSIZE, &before);
  CHECK(end_of(full).starts_with("write_failed "));
  CHECK(read_bytes(tiny.output()) == "an older file");
  CHECK_FALSE(fs::exists(tiny.output() + ".partial"));
}

TEST_CASE("sentencepiece's vocabulary: types, scores by merge order, what is added") {
  const TokenizerFolder folder(pieces(),
                               {{"unk_token", {{"content", "<unk>"}}}, {"chat_template", "{{ hello }}"}});
  const auto read = folder.read(14);
  REQUIRE_MESSAGE(read.ok(), end_of(read));
  const GgufVocabulary& vocabulary = read.value();
  CHECK(vocabulary.pieces);
  CHECK(vocabulary.splitting == "default");
  CHECK(vocabulary.tokens == std::vector<std::string>{"<unk>", "<s>", "<0x0A>", "a", "b", "[PAD5]", "ab",
                                                      "\u2581ab", "\u2581", "[PAD9]", "[PAD10]", "[PAD11]",
                                                      "  ", "<end>"});
  CHECK(vocabulary.types == std::vector<int32_t>{2, 3, 6, 1, 1, 5, 1, 1, 1, 5, 5, 5, 4, 3});
  // Products in the order of their first rule; what no rule makes comes last.
  CHECK(vocabulary.scores[6] == 0);
  CHECK(vocabulary.scores[7] == -1);
  CHECK(vocabulary.scores[3] == -2);
  CHECK(vocabulary.bos == 1);
  CHECK(vocabulary.eos == 13);
  CHECK(vocabulary.unknown == 0);
  CHECK_FALSE(vocabulary.padding);
  CHECK(vocabulary.add_bos);
  CHECK_FALSE(vocabulary.add_eos);
  CHECK(vocabulary.space_first);
  CHECK(vocabulary.chat_template == "{{ hello }}");
  CHECK(vocabulary.notes.empty());
}

TEST_CASE("Metaspace says by itself whether a space comes first") {
  for (const auto& [scheme, first] :
       std::map<std::string, bool>{{"always", true}, {"first", true}, {"never", false}}) {
    Json tokenizer = pieces();
    tokenizer["normalizer"] = nullptr;
    tokenizer["pre_tokenizer"] = {{"type", "Metaspace"}, {"prepend_scheme", scheme}};
    CHECK(TokenizerFolder(tokenizer).read(14).value().space_first == first);
  }
}

TEST_CASE(
    "a byte-level vocabulary: merges, the way of splitting, rows without tokens and tokens without rows") {
  const TokenizerFolder folder(letters(), {{"eos_token", "<|end|>"}, {"add_bos_token", false}});
  const GgufVocabulary vocabulary = folder.read(7).value();
  CHECK_FALSE(vocabulary.pieces);
  CHECK(vocabulary.splitting == "gpt-2");
  CHECK(vocabulary.merges == std::vector<std::string>{"\u0120 a"});
  CHECK(vocabulary.types == std::vector<int32_t>{1, 1, 1, 3, 4, 5, 5});
  CHECK(vocabulary.eos == 3);
  CHECK_FALSE(vocabulary.add_bos);

  const GgufVocabulary narrow = folder.read(4).value();
  CHECK(narrow.tokens.size() == 4);
  CHECK(narrow.notes.size() == 1);
  CHECK(narrow.notes[0].starts_with("1 token of the tokenizer has no row"));
}

TEST_CASE("ways of splitting that llama.cpp has no name for are said") {
  Json tokenizer = letters();
  tokenizer["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "x+"}}}, {"behavior", "Isolated"}};
  tokenizer["decoder"] = {{"type", "ByteLevel"}};
  const GgufVocabulary vocabulary = TokenizerFolder(tokenizer).read(7).value();
  CHECK(vocabulary.splitting == "default");
  CHECK(vocabulary.notes.size() == 1);
  CHECK(splitting_name({{"type", "ByteLevel"}, {"add_prefix_space", false}}, false) == "gpt-2");
  CHECK_FALSE(splitting_name({{"type", "ByteLevel"}, {"add_prefix_space", true}}, false));
}

TEST_CASE("tokenizers that cannot be written are refused") {
  TemporaryFolder empty;
  CHECK(end_of(read_vocabulary(empty.path, 10)).starts_with("tokenizer_missing"));
  CHECK(end_of(TokenizerFolder(Json::array()).read(10)).starts_with("tokenizer_broken"));
  CHECK(end_of(TokenizerFolder(Json::parse(R"({"model": {"type": "Unigram"}})")).read(10))
            .starts_with("tokenizer_unsupported"));
  Json tokenizer = letters();
  tokenizer["model"]["vocab"]["a"] = -1;
  CHECK(end_of(TokenizerFolder(tokenizer).read(10)) ==
        "tokenizer_broken tokenizer.json cannot be used: the id of a is no whole number.");
  tokenizer = letters();
  tokenizer["model"]["merges"] = {"ab"};
  CHECK(end_of(TokenizerFolder(tokenizer).read(10)) ==
        "tokenizer_broken tokenizer.json cannot be used: a merge rule is no pair.");
}
