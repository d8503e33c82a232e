// Embedding tables and heads that are not stored as they were.
#include "run/tables.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "evaluate/logits.h"
#include "file/packed_shard.h"
#include "file/safetensors.h"
#include "tests/recorded_run.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

std::string with_types(const char* embedding, const char* head) {
  Json recipe = Json::parse(tiny_recipes().at("rtn"));
  recipe["embedding_type"] = embedding;
  recipe["head_type"] = head;
  return recipe.dump();
}

QuantizeOutcome packed_with(const TinyRun& tiny, const char* embedding, const char* head,
                            const std::string& name, size_t threads = 2) {
  QuantizeJob job = tiny.job("rtn", name);
  job.recipe = with_types(embedding, head);
  RecordingObserver observer;
  return run_to_end(job, observer, threads);
}

// The packed folder with its tables written out in F32, and nothing else changed.
void write_dense_tables(const std::string& packed, const std::string& dense) {
  std::filesystem::copy(packed, dense);
  ThreadPool pool(2);
  const auto model = Model::open(packed).value();
  const std::string last = "model-00004-of-00004.safetensors";
  const auto shard = PackedShard::open(packed + "/" + last).value();
  std::vector<TensorToWrite> tensors;
  std::map<std::string, Matrix> tables;
  for (const auto& [name, layout] : shard->tables())
    tables[name] = (name == model->embedding_table().name() ? model->embedding_table() : model->head_table())
                       .matrix(pool)
                       .value();
  for (const auto& [name, tensor] : shard->file()->tensors())
    if (!tables.contains(name.substr(0, name.rfind('.'))))
      tensors.push_back({name, tensor.dtype, tensor.shape, tensor.bytes});
  for (const auto& [name, table] : tables)
    tensors.push_back({name + ".weight",
                       DType::F32,
                       {table.rows(), table.columns()},
                       {reinterpret_cast<const uint8_t*>(table.data()), table.size() * sizeof(float)}});
  auto metadata = shard->file()->metadata();
  metadata.erase("tables");
  metadata.erase("sha256");
  REQUIRE(write_safetensors(dense + "/" + last, std::move(tensors), metadata, true).ok());
  REQUIRE(write_index(dense, 4).ok());
}

bool same(const Matrix& a, const Matrix& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}

}  // namespace

TEST_CASE("logits of packed tables are those of the tables written out") {
  TinyRun tiny;
  ThreadPool pool(2);
  std::vector<uint32_t> tokens;
  for (uint32_t i = 0; i < 40; ++i) tokens.push_back(i * 7 % 61);
  for (const auto& [embedding, head] : std::vector<std::pair<const char*, const char*>>{
           {"rtn8", "rtn8"}, {"rtn4", "source"}, {"source", "rtn4"}, {"rtn8", "rtn4"}}) {
    CAPTURE(embedding);
    CAPTURE(head);
    const std::string name = std::string(embedding) + "-" + head;
    const QuantizeOutcome outcome = packed_with(tiny, embedding, head, name);
    write_dense_tables(outcome.packed, tiny.run(name + "-dense"));
    const auto packed = Model::open(outcome.packed), dense = Model::open(tiny.run(name + "-dense"));
    REQUIRE_MESSAGE(packed.ok(), end_of(packed));
    REQUIRE_MESSAGE(dense.ok(), end_of(dense));
    CHECK(packed.value()->parameters() == outcome.parameters);
    CHECK((packed.value()->embedding_table().stored() == nullptr) == (std::string(embedding) != "source"));
    CHECK((packed.value()->head_table().stored() == nullptr) == (std::string(head) != "source"));
    CHECK(packed.value()->notes().empty());
    CHECK(same(logits(*packed.value(), tokens, pool).value(), logits(*dense.value(), tokens, pool).value()));
  }
}

TEST_CASE("codes are near what they stand for, 8 bits nearer than 4, and take the bytes that they should") {
  TinyRun tiny;
  ThreadPool pool(2);
  const auto original = Model::open(tiny.source()).value();
  const Matrix table = original->embedding_table().matrix(pool).value();
  double before = 1;
  for (const char* type : {"rtn4", "rtn8"}) {
    const auto packed = Model::open(packed_with(tiny, type, "source", type).packed).value();
    const Matrix decoded = packed->embedding_table().matrix(pool).value();
    double difference = 0, whole = 0;
    for (size_t i = 0; i < table.size(); ++i) {
      difference += std::pow(double(table.data()[i]) - decoded.data()[i], 2);
      whole += std::pow(double(table.data()[i]), 2);
    }
    CHECK(std::sqrt(difference / whole) < before / 8);
    CHECK(std::sqrt(difference / whole) > 0);
    before = std::sqrt(difference / whole);
    // 72 columns: two groups of 64, each with an F16 scale and a zero.
    const size_t bits = std::string(type) == "rtn8" ? 8 : 4;
    const auto shard = PackedShard::open(packed->folder() + "/model-00004-of-00004.safetensors").value();
    const PackedLinear all = shard->table_rows("model.embed_tokens", std::vector<uint32_t>{0, 60}).value();
    CHECK(all.bytes() == 2 * (72 * bits / 8 + 2 * 3));
  }
}

TEST_CASE("a tied table is stored once, under one type") {
  TinyRun tiny;
  tiny.model.tied = true;
  write_model(tiny.model, tiny.source(), DType::F16);
  const auto model = Model::open(packed_with(tiny, "rtn8", "source", "tied").packed).value();
  CHECK(&model->embedding_table() == &model->head_table());
  CHECK(model->find("model.embed_tokens.code"));
  CHECK_FALSE(model->find("model.embed_tokens.weight"));
  CHECK_FALSE(model->find("lm_head.code"));
  QuantizeJob job = tiny.job("rtn", "refused");
  job.recipe = with_types("source", "rtn8");
  CHECK(try_run(job) ==
        "recipe_invalid The head of this model is its embedding table: embedding_type says how both are "
        "stored.");
}

TEST_CASE("f16 of another source type; nothing changes where it is F16 already or nobody asks") {
  TinyRun tiny;
  RecordingObserver observer;
  const auto plain = folder_bytes(run_to_end(tiny.job("rtn", "plain"), observer).packed);
  const auto asked = folder_bytes(packed_with(tiny, "source", "source", "asked").packed);
  for (const auto& [name, bytes] : plain)  // the recipe in the metadata is another text
    if (!name.ends_with(".safetensors")) CHECK(asked.at(name) == bytes);
  write_model(tiny.model, tiny.source(), DType::F32);
  const auto half = Model::open(packed_with(tiny, "f16", "source", "half").packed).value();
  CHECK(half->embedding_table().stored()->dtype == DType::F16);
  CHECK(half->head_table().stored()->dtype == DType::F32);
}

TEST_CASE("the same bytes for any thread count") {
  TinyRun tiny;
  CHECK(folder_bytes(packed_with(tiny, "rtn4", "rtn8", "one", 1).packed) ==
        folder_bytes(packed_with(tiny, "rtn4", "rtn8", "three", 3).packed));
}

TEST_CASE("a type that is none is refused") {
  CHECK(end_of(RunRecipe::from_json(with_types("rtn2", "source"))) ==
        "recipe_invalid The recipe's 'embedding_type' must be source, f16, rtn8 or rtn4.");
}
