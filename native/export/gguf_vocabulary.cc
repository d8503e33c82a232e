#include "export/gguf_vocabulary.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "export/tokenizer_splitting.h"
#include "file/json_file.h"

namespace signum {
namespace {

using Json = nlohmann::json;

struct Broken {
  std::string what;
};

// The object in a file of the folder; an empty one where there is no such file.
Result<Json> read_object(const std::string& folder, const char* name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  if (!std::filesystem::is_regular_file(path)) return Json::object();
  SIGNUM_TAKE(const std::string text, read_text_file(path));
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Error{"tokenizer_broken", path + " holds no JSON object.", ""};
  return json;
}

// A member, null where there is none.
const Json& at(const Json& object, const char* key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

bool is_true(const Json& value) { return value.is_boolean() && value.get<bool>(); }

// A token as settings write it: a text, or an object with its content.
std::string content(const Json& token) {
  const Json& text = token.is_object() ? at(token, "content") : token;
  return text.is_string() ? text.get<std::string>() : "";
}

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  for (size_t at; (at = text.find(what)) != std::string_view::npos; text.remove_prefix(at + what.size()))
    out.append(text.substr(0, at)).append(with);
  return out.append(text);
}

constexpr const char* kSpace = "\u2581";  // sentencepiece's sign for a space

// True for "<0x0A>".
bool is_byte(const std::string& token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with(">") &&
         token.find_first_not_of("0123456789ABCDEF", 3) == 5;
}

// True when a step of this type is there, alone or in a Sequence.
bool has_step(const Json& step, const char* type) {
  if (at(step, "type") == type) return true;
  for (const char* list : {"normalizers", "pretokenizers", "decoders"})
    for (const Json& inner : at(step, list))
      if (has_step(inner, type)) return true;
  return false;
}

class Reader {
 public:
  Reader(const Json& file, const Json& settings, const Json& config, size_t rows)
      : file_(file), settings_(settings), config_(config), rows_(rows) {}

  Result<GgufVocabulary> read() {
    try {
      SIGNUM_TRY(find_kind());
      take_tokens();
      if (out_.pieces)
        score_pieces();
      else
        take_merges();
      take_special();
      take_template();
    } catch (const Broken& broken) {
      return Error{"tokenizer_broken", "tokenizer.json cannot be used: " + broken.what + ".", ""};
    }
    return std::move(out_);
  }

 private:
  const Json& model() const { return at(file_, "model"); }

  Status find_kind() {
    const Json& type = at(model(), "type");
    const bool pairs = type == "BPE" || (type.is_null() && at(model(), "merges").is_array());
    out_.pieces = pairs && is_true(at(model(), "byte_fallback"));
    const bool letters =
        has_step(at(file_, "pre_tokenizer"), "ByteLevel") || has_step(at(file_, "decoder"), "ByteLevel");
    if (pairs && (out_.pieces || letters)) return {};
    return Error{
        "tokenizer_unsupported",
        "GGUF has a form for byte-level BPE and for sentencepiece BPE with byte fallback; this tokenizer "
        "is neither.",
        "tokenizer.json: model.type " + type.dump(-1, ' ', false, Json::error_handler_t::replace)};
  }

  // The texts of the ids, from the vocabulary and from the added tokens.
  void take_tokens() {
    const Json& vocabulary = at(model(), "vocab");
    if (!vocabulary.is_object()) throw Broken{"model.vocab is no object"};
    std::vector<bool> there(rows_, false);
    out_.tokens.resize(rows_);
    out_.types.assign(rows_, GgufVocabulary::Unused);
    size_t beyond = 0;
    const auto put = [&](const std::string& token, const Json& id, int32_t type) {
      if (!id.is_number_unsigned()) throw Broken{"the id of " + token + " is no whole number"};
      const uint64_t place = id.get<uint64_t>();
      ids_[token] = place;
      if (place >= rows_) {
        ++beyond;
        return;
      }
      there[place] = true;
      out_.tokens[place] = token;
      out_.types[place] = type;
    };
    const std::string unknown = content(at(model(), "unk_token"));
    for (const auto& [token, id] : vocabulary.items())
      put(token, id,
          out_.pieces && token == unknown ? GgufVocabulary::Unknown
          : out_.pieces && is_byte(token) ? GgufVocabulary::Byte
                                          : GgufVocabulary::Normal);
    for (const Json& added : at(file_, "added_tokens")) {
      const std::string token = content(added);
      if (out_.pieces && token == unknown) continue;
      const bool special = is_true(at(added, "special"));
      // llama.cpp looks for these in the text as it was given.
      put(special || !out_.pieces ? token : replaced(token, kSpace, " "), at(added, "id"),
          special ? GgufVocabulary::Control : GgufVocabulary::UserDefined);
      ids_[token] = at(added, "id").get<uint64_t>();
    }
    for (size_t id = 0; id < rows_; ++id)
      if (!there[id]) out_.tokens[id] = "[PAD" + std::to_string(id) + "]";
    if (beyond > 0)
      out_.notes.push_back(std::to_string(beyond) +
                           (beyond == 1 ? " token of the tokenizer has" : " tokens of the tokenizer have") +
                           " no row in the embedding table and cannot be in the file.");
  }

  // The two sides of each merge rule, in order.
  template <class Take>
  void each_merge(const Take& take) {
    for (const Json& rule : at(model(), "merges")) {
      if (rule.is_array() && rule.size() == 2 && rule[0].is_string() && rule[1].is_string()) {
        take(rule[0].get<std::string>(), rule[1].get<std::string>());
        continue;
      }
      const std::string text = rule.is_string() ? rule.get<std::string>() : "";
      const size_t space = text.find(' ', 1);
      if (space == std::string::npos) throw Broken{"a merge rule is no pair"};
      take(text.substr(0, space), text.substr(space + 1));
    }
  }

  // llama.cpp joins the neighbours whose product has the highest score; the rules say it by their order.
  void score_pieces() {
    std::map<std::string, float> rank;
    each_merge([&](const std::string& left, const std::string& right) {
      rank.emplace(left + right, -float(rank.size()));
    });
    const float last = -float(rank.size());
    out_.scores.resize(rows_);
    for (size_t id = 0; id < rows_; ++id) {
      if (out_.types[id] != GgufVocabulary::Normal && out_.types[id] != GgufVocabulary::UserDefined) continue;
      const auto found = rank.find(replaced(out_.tokens[id], " ", kSpace));
      out_.scores[id] = found == rank.end() ? last : found->second;
    }
    // A space before the text: by the normalizer, or by Metaspace unless it says never.
    out_.space_first = has_step(at(file_, "normalizer"), "Prepend");
    const Json& splitting = at(file_, "pre_tokenizer");
    if (at(splitting, "type") == "Metaspace")
      out_.space_first = at(splitting, "prepend_scheme").is_string()
                             ? at(splitting, "prepend_scheme") != "never"
                             : !(at(splitting, "add_prefix_space") == false);
    out_.splitting = "default";
  }

  void take_merges() {
    each_merge([&](const std::string& left, const std::string& right) {
      // In byte-level texts a space is U+0120; the rules of later files may hold real ones.
      out_.merges.push_back(replaced(left, " ", "\u0120") + " " + replaced(right, " ", "\u0120"));
    });
    const auto name = splitting_name(at(file_, "pre_tokenizer"), is_true(at(model(), "ignore_merges")));
    out_.splitting = name.value_or("default");
    if (!name)
      out_.notes.push_back(
          "llama.cpp may split texts into other tokens than this model's tokenizer: it is told to split as "
          "by "
          "default, because this tokenizer's way has no name there.");
  }

  std::optional<uint32_t> special(const char* name) const {
    const auto found = ids_.find(content(at(settings_, (std::string(name) + "_token").c_str())));
    if (found != ids_.end())
      return found->second < rows_ ? std::optional(uint32_t(found->second)) : std::nullopt;
    const Json* id = &at(config_, (std::string(name) + "_token_id").c_str());
    if (id->is_array() && !id->empty()) id = &id->front();
    if (id->is_number_unsigned() && id->get<uint64_t>() < rows_) return id->get<uint32_t>();
    return std::nullopt;
  }

  // Whether the tokenizer puts this token first or last.
  bool adds(std::optional<uint32_t> id, const char* key, bool first) const {
    if (!id) return false;
    const Json* step = &at(file_, "post_processor");
    if (at(*step, "type") == "Sequence")
      for (const Json& one : at(*step, "processors"))
        if (at(one, "type") == "TemplateProcessing") step = &one;
    if (at(*step, "type") != "TemplateProcessing") return is_true(at(settings_, key));
    const Json& single = at(*step, "single");
    if (!single.is_array() || single.empty()) return false;
    const Json& token = at(first ? single.front() : single.back(), "SpecialToken");
    const auto found = ids_.find(content(at(token, "id")));
    return found != ids_.end() && found->second == *id;
  }

  void take_special() {
    out_.bos = special("bos");
    out_.eos = special("eos");
    out_.unknown = special("unk");
    out_.padding = special("pad");
    out_.add_bos = adds(out_.bos, "add_bos_token", true);
    out_.add_eos = adds(out_.eos, "add_eos_token", false);
  }

  void take_template() {
    const Json& chat = at(settings_, "chat_template");
    if (chat.is_string()) out_.chat_template = chat.get<std::string>();
    // Several by name: the default one.
    if (chat.is_array())
      for (const Json& one : chat)
        if (at(one, "name") == "default") out_.chat_template = content(at(one, "template"));
  }

  const Json& file_;
  const Json& settings_;
  const Json& config_;
  const size_t rows_;
  std::map<std::string, uint64_t> ids_;  // also of tokens beyond the rows
  GgufVocabulary out_;
};

}  // namespace

void GgufVocabulary::add_to(GgufMetadata& metadata) const {
  metadata.add("tokenizer.ggml.model", pieces ? "llama" : "gpt2");
  metadata.add("tokenizer.ggml.pre", splitting);
  metadata.add("tokenizer.ggml.tokens", tokens);
  if (pieces) metadata.add("tokenizer.ggml.scores", scores);
  metadata.add("tokenizer.ggml.token_type", types);
  if (!pieces) metadata.add("tokenizer.ggml.merges", merges);
  if (bos) metadata.add("tokenizer.ggml.bos_token_id", *bos);
  if (eos) metadata.add("tokenizer.ggml.eos_token_id", *eos);
  if (unknown) metadata.add("tokenizer.ggml.unknown_token_id", *unknown);
  if (padding) metadata.add("tokenizer.ggml.padding_token_id", *padding);
  metadata.add("tokenizer.ggml.add_bos_token", add_bos);
  metadata.add("tokenizer.ggml.add_eos_token", add_eos);
  if (pieces) metadata.add("tokenizer.ggml.add_space_prefix", space_first);
  if (!chat_template.empty()) metadata.add("tokenizer.chat_template", chat_template);
}

Result<GgufVocabulary> read_vocabulary(const std::string& folder, size_t rows) {
  if (!std::filesystem::is_regular_file(std::filesystem::path(folder) / "tokenizer.json"))
    return Error{"tokenizer_missing",
                 folder + " has no tokenizer.json, and a GGUF file holds the model's tokenizer.", ""};
  SIGNUM_TAKE(const Json file, read_object(folder, "tokenizer.json"));
  SIGNUM_TAKE(const Json settings, read_object(folder, "tokenizer_config.json"));
  SIGNUM_TAKE(const Json config, read_object(folder, "config.json"));
  SIGNUM_TAKE(GgufVocabulary vocabulary, Reader(file, settings, config, rows).read());
  const std::string chat = (std::filesystem::path(folder) / "chat_template.jinja").string();
  if (std::filesystem::is_regular_file(chat)) {
    SIGNUM_TAKE(vocabulary.chat_template, read_text_file(chat));
  }
  return vocabulary;
}

}  // namespace signum
