// Hugging Face folders: what is in them, that they compute the same, and that a failure leaves nothing.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "evaluate/logits.h"
#include "export/export_huggingface.h"
#include "file/partial_folder.h"
#include "file/sha256.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

const ExportProgress kSilent = [](Phase, uint64_t, uint64_t) { return Status(); };

std::vector<float> values(const Matrix& matrix) { return {matrix.data(), matrix.data() + matrix.size()}; }

// By the dense path: to compare bits, both sides must take the same one.
std::vector<float> logits_of(const Model& model) {
  ThreadPool pool(2);
  std::vector<uint32_t> tokens(40);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = uint32_t((7 * i + 3) % model.config().vocabulary);
  auto result = logits(model, tokens, pool, WeightForm::Decoded);
  REQUIRE_MESSAGE(result.ok(), end_of(result));
  return values(result.value());
}

ExportOutcome exported(const Model& model, const std::string& output, DType type = DType::F32,
                       uint64_t shard_bytes = 0) {
  ThreadPool pool(2);
  auto done = export_huggingface(model, output, {type, shard_bytes}, kSilent, pool);
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  CHECK_FALSE(fs::exists(output + ".partial"));
  uint64_t bytes = 0;
  for (const ExportedFile& file : done.value().files) {
    const std::string content = read_bytes(output + "/" + file.name);
    CHECK(file.bytes == content.size());
    CHECK(file.sha256 == sha256_hex({reinterpret_cast<const uint8_t*>(content.data()), content.size()}));
    bytes += file.bytes;
  }
  CHECK(done.value().files.size() == folder_bytes(output).size());
  CHECK(done.value().bytes() == bytes);
  return std::move(done).value();
}

// What a recipe makes of a tiny model.
std::string packed_by(const TinyRun& tiny, const std::string& recipe) {
  RecordingObserver observer;
  QuantizeJob job = tiny.job("rtn");
  job.recipe = recipe;
  return run_to_end(job, observer).packed;
}

std::string with_tables(const char* type, const char* head) {
  Json recipe = Json::parse(tiny_recipes().at("rtn"));
  recipe["embedding_type"] = type;
  recipe["head_type"] = head;
  return recipe.dump();
}

}  // namespace

TEST_CASE("every family as it is: the same tensors under the same names, the same logits to the bit") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    TinyRun tiny(family.model);
    const auto model = opened(tiny.source());
    const std::string output = tiny.folder / "out";
    const ExportOutcome done = exported(*model, output);
    CHECK(done.tensors() == family.model.tensors.size());
    CHECK(done.error().exact());
    CHECK(done.error().values() == model->parameters());
    const auto copy = opened(output);
    CHECK(copy->notes().empty());
    for (const auto& [name, tensor] : family.model.tensors) {
      CAPTURE(name);
      const TensorView* written = copy->find(name);
      REQUIRE(written);
      CHECK(written->dtype == DType::F32);
      CHECK(written->shape == tensor.shape);
    }
    for (const char* same : {"config.json", "tokenizer.json"})
      CHECK(read_bytes(output + "/" + same) == read_bytes(tiny.source() + "/" + same));
    CHECK_FALSE(fs::exists(output + "/README.md"));
    CHECK(SafetensorsFile::open(output + "/model.safetensors").value()->metadata() ==
          std::map<std::string, std::string>{{"format", "pt"}});
    CHECK(logits_of(*copy) == logits_of(*model));
  }
}

TEST_CASE("every family packed: F32 weights compute what the packed model decodes to") {
  for (const TinyFamily& family : tiny_families()) {
    CAPTURE(family.name);
    TinyRun tiny(family.model);
    const bool tied = family.model.tied;
    const auto packed = opened(packed_by(tiny, with_tables("rtn8", tied ? "rtn8" : "rtn4")));
    const std::string output = tiny.folder / "out";
    CHECK(exported(*packed, output).tensors() == family.model.tensors.size());
    CHECK(logits_of(*opened(output)) == logits_of(*packed));
  }
}

TEST_CASE("every method: each linear is what it decodes to, and rounds as the type says") {
  ThreadPool pool(2);
  for (const auto& [method, recipe] : tiny_recipes()) {
    CAPTURE(method);
    TinyRun tiny(1);
    const auto packed = opened(packed_by(tiny, recipe));
    std::vector<double> errors;
    for (const DType type : {DType::F32, DType::F16, DType::BF16}) {
      const std::string output = tiny.folder / std::string(dtype_name(type));
      errors.push_back(exported(*packed, output, type).error().relative());
      const auto copy = opened(output);
      for (const LinearInfo& linear : packed->linears()) {
        const std::vector<float> decoded = values(packed->weight(linear, pool).value());
        const std::vector<float> written = values(copy->weight(linear, pool).value());
        REQUIRE(decoded.size() == written.size());
        size_t wrong = 0;
        for (size_t i = 0; i < decoded.size(); ++i) {
          const float expected = type == DType::F32   ? decoded[i]
                                 : type == DType::F16 ? half_to_float(float_to_half(decoded[i]))
                                                      : bfloat_to_float(float_to_bfloat(decoded[i]));
          wrong += expected != written[i];
        }
        CHECK(wrong == 0);
      }
    }
    CHECK(errors[0] == 0);
    CHECK(errors[1] < 0x1p-11);
    CHECK(errors[2] > errors[1]);
    CHECK(errors[2] < 0x1p-8);
  }
}

TEST_CASE("files of the size that was asked for, and an index that says what is where") {
  TinyRun tiny;
  const auto model = opened(tiny.source());
  const std::string output = tiny.folder / "out";
  const uint64_t limit = 30000;  // below the size of the largest tensor
  exported(*model, output, DType::F32, limit);
  const Json index = Json::parse(read_bytes(output + "/model.safetensors.index.json"));
  std::map<std::string, std::string> places = index["weight_map"];
  CHECK(places.size() == tiny.model.tensors.size());
  std::set<std::string> files;
  for (const auto& [name, file] : places) files.insert(file);
  CHECK(files.size() > 3);
  uint64_t total = 0;
  size_t number = 0;
  for (const std::string& file : files) {
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", ++number, files.size());
    CHECK(file == name);
    uint64_t bytes = 0;
    const auto opened_file = SafetensorsFile::open(output + "/" + file).value();
    for (const auto& [tensor, view] : opened_file->tensors()) {
      CHECK(places.at(tensor) == file);
      bytes += view.bytes.size();
    }
    CHECK((bytes <= limit || opened_file->tensors().size() == 1));
    total += bytes;
  }
  CHECK(index["metadata"]["total_size"] == total);
  CHECK(logits_of(*opened(output)) == logits_of(*model));
  // All in one file needs no index.
  exported(*model, tiny.folder / "one", DType::BF16, uint64_t(1) << 30);
  CHECK(fs::exists(tiny.folder / "one/model.safetensors"));
  CHECK_FALSE(fs::exists(tiny.folder / "one/model.safetensors.index.json"));
}

TEST_CASE("a head that is stored twice is written once; another type than config.json says is noted") {
  TinyModel model = TinyRun::wider(1);
  model.tied = true;
  model.options["torch_dtype"] = "\"float16\"";
  model.tensors["lm_head.weight"] = model.tensors.at("model.embed_tokens.weight");
  TinyRun tiny(model);
  const auto source = opened(tiny.source());
  const ExportOutcome done = exported(*source, tiny.folder / "out");
  CHECK(done.tensors() == model.tensors.size() - 1);
  REQUIRE(done.notes.size() == 1);
  CHECK(done.notes[0] ==
        "config.json says torch_dtype float16 and is copied as it is; the weights are float32.");
  CHECK(exported(*source, tiny.folder / "half", DType::F16).notes.empty());
  CHECK(logits_of(*opened(tiny.folder / "out")) == logits_of(*source));
}

TEST_CASE("what fails or is cancelled leaves nothing, and a folder that is there stays as it is") {
  TinyRun tiny(1);
  const auto model = opened(tiny.source());
  const std::string output = tiny.folder / "out";
  ThreadPool pool(2);
  std::map<Phase, uint64_t> last;
  uint64_t all = 0;
  const ExportProgress watch = [&](Phase phase, uint64_t done, uint64_t total) -> Status {
    CHECK(done >= last[phase]);
    CHECK((phase == Phase::Write || last[Phase::Write] == total));
    last[phase] = done;
    all = total;
    return {};
  };
  REQUIRE(export_huggingface(*model, output, {DType::F16}, watch, pool).ok());
  CHECK(all == 2 * model->parameters());
  CHECK(last == std::map<Phase, uint64_t>{{Phase::Write, all}, {Phase::Verify, all}});
  const auto before = folder_bytes(output);
  const auto again = export_huggingface(*model, output, {DType::F32}, kSilent, pool);
  CHECK(end_of(again) == "write_failed " + output + " is already there.");
  CHECK(folder_bytes(output) == before);
  // While writing, while verifying.
  for (const Phase when : {Phase::Write, Phase::Verify}) {
    const std::string other = tiny.folder / "other";
    const ExportProgress cancel = [&](Phase phase, uint64_t done, uint64_t) -> Status {
      if (phase != when || done < all / 2) return {};
      return Error{"cancelled", "", ""};
    };
    CHECK(end_of(export_huggingface(*model, other, {DType::F16}, cancel, pool)) == "cancelled ");
    CHECK_FALSE(fs::exists(other));
    CHECK_FALSE(fs::exists(other + ".partial"));
  }
  // A folder that comes to stand there meanwhile.
  const std::string late = tiny.folder / "late";
  const ExportProgress intrude = [&](Phase, uint64_t, uint64_t) {
    fs::create_directories(late);
    return Status();
  };
  const auto refused = export_huggingface(*model, late, {DType::F16}, intrude, pool);
  CHECK(end_of(refused).starts_with("write_failed "));
  CHECK(fs::is_empty(late));
  CHECK_FALSE(fs::exists(late + ".partial"));
}

TEST_CASE("what does not read back as it was written is found") {
  TinyRun tiny(1);
  const auto model = opened(tiny.source());
  ThreadPool pool(2);
  for (const char* file : {"model.safetensors", "tokenizer.json"}) {
    CAPTURE(file);
    const std::string output = tiny.folder / "out", path = output + ".partial/" + file;
    bool done = false;
    const ExportProgress spoil = [&](Phase phase, uint64_t, uint64_t) -> Status {
      if (done || phase == Phase::Write) return {};
      done = true;
      std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(-1, std::ios::end);
      stream.put('#');
      return {};
    };
    const auto result = export_huggingface(*model, output, {DType::F16}, spoil, pool);
    CHECK(done);
    CHECK(end_of(result).starts_with("export_unverified "));
    CHECK_FALSE(fs::exists(output));
    CHECK_FALSE(fs::exists(output + ".partial"));
  }
}

TEST_CASE("a number that the type cannot hold is refused by its tensor's name") {
  TinyModel model = TinyRun::wider(1);
  model.tensors.at("model.layers.0.mlp.up_proj.weight").values[5] = 70000;
  TemporaryFolder folder;
  const auto source = opened(model, folder / "model");
  ThreadPool pool(2);
  const auto done = export_huggingface(*source, folder / "out", {DType::F16}, kSilent, pool);
  CHECK(end_of(done) ==
        "export_unsupported The tensor model.layers.0.mlp.up_proj.weight has numbers that are too large for "
        "F16; the type bf16 or f32 holds them.");
  CHECK_FALSE(fs::exists(folder / "out.partial"));
  CHECK(export_huggingface(*source, folder / "out", {DType::BF16}, kSilent, pool).ok());
}

TEST_CASE("a partial folder: what an ended process left is cleared, another's is not touched") {
  TemporaryFolder folder;
  const std::string path = folder / "out";
  fs::create_directories(path + ".partial/deep");
  write_bytes(path + ".partial/deep/old", "old");
  {
    auto partial = PartialFolder::create(path + "/");
    REQUIRE(partial.ok());
    CHECK(fs::is_empty(path + ".partial"));
    CHECK(end_of(PartialFolder::create(path)) == "write_failed Another process writes " + path + ".");
    write_bytes(partial.value().path() + "/file", "new");
    CHECK(partial.value().commit().ok());
  }
  CHECK(read_bytes(path + "/file") == "new");
  CHECK_FALSE(fs::exists(path + ".partial"));
}
