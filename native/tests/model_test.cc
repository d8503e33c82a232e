// What a model folder says about itself, and the numbers read from it.
#include "model/model.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "base/pool.h"
#include "evaluate/logits.h"
#include "methods/packed_linear.h"
#include "tests/naive_forward.h"
#include "tests/tiny_model.h"

using signum::DType;
using signum::LinearInput;
using signum::Matrix;
using signum::Model;

namespace {

namespace fs = std::filesystem;

std::string resources() { return std::getenv("SIGNUM_RESOURCES"); }

std::shared_ptr<const Model> open(const std::string& folder) {
  auto model = Model::open(folder);
  if (!model.ok()) MESSAGE(model.error().message);
  REQUIRE(model.ok());
  return model.value();
}

Matrix logits_of(const std::string& folder, const std::vector<uint32_t>& tokens) {
  signum::ThreadPool pool(2);
  auto result = signum::logits(*open(folder), tokens, pool);
  REQUIRE(result.ok());
  return std::move(result).value();
}

bool same_bytes(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.columns() == b.columns() && a.size() > 0 &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

double furthest(const Matrix& a, const Rows& b) {
  double largest = 0;
  REQUIRE(a.rows() == b.size());
  for (size_t i = 0; i < a.rows(); ++i)
    for (size_t j = 0; j < a.columns(); ++j) largest = std::max(largest, std::abs(double(a(i, j)) - b[i][j]));
  return largest;
}

const std::vector<uint32_t> kTokens = random_tokens(70, 37, 3);

}  // namespace

TEST_CASE("the bundled model's structure") {
  const auto model = open(resources() + "/models/signum-stories-4m");
  CHECK(model->parameters() == 3672320);
  CHECK(model->dtype() == DType::F16);
  CHECK(model->config().tied);
  CHECK_FALSE(model->packed());
  CHECK(model->config().head_dim == 64);
  CHECK(model->config().context == 256);
  CHECK(model->weight_bytes() == 7348696);
  REQUIRE(model->files().size() == 2);
  CHECK(model->files()[0].name == "config.json");
  CHECK(model->files()[0].bytes == 565);
  CHECK(model->files()[1].name == "model.safetensors");
  CHECK(model->notes().empty());
  CHECK(&model->embedding_table() == &model->head_table());
  CHECK(model->unchanged().ok());

  struct Expected {
    const char* kind;
    LinearInput input;
    size_t rows, columns;
  };
  const Expected expected[] = {
      {"q_proj", LinearInput::Attention, 256, 256},    {"k_proj", LinearInput::Attention, 128, 256},
      {"v_proj", LinearInput::Attention, 128, 256},    {"o_proj", LinearInput::AttentionOutput, 256, 256},
      {"gate_proj", LinearInput::Mlp, 768, 256},       {"up_proj", LinearInput::Mlp, 768, 256},
      {"down_proj", LinearInput::MlpHidden, 256, 768},
  };
  REQUIRE(model->linears().size() == 28);
  for (size_t i = 0; i < 28; ++i) {
    const auto& linear = model->linears()[i];
    const Expected& e = expected[i % 7];
    CHECK(linear.layer == i / 7);
    CHECK(linear.kind == e.kind);
    CHECK(linear.input == e.input);
    CHECK(linear.rows == e.rows);
    CHECK(linear.columns == e.columns);
    CHECK(model->input_width(linear.input) == e.columns);
  }
  CHECK(model->linears()[7].name == "model.layers.1.self_attn.q_proj");
  CHECK(model->linears_of(3).front().name == "model.layers.3.self_attn.q_proj");
  CHECK(model->linears_of(3).back().name == "model.layers.3.mlp.down_proj");

  const auto names = [&](size_t layer) {
    std::vector<std::string> list;
    for (const auto* tensor : model->other_tensors(layer)) list.push_back(tensor->name);
    return list;
  };
  CHECK(names(2) == std::vector<std::string>{"model.layers.2.input_layernorm.weight",
                                             "model.layers.2.post_attention_layernorm.weight"});
  CHECK(names(4) == std::vector<std::string>{"model.embed_tokens.weight", "model.norm.weight"});
}

TEST_CASE(
    "F32, F16 and BF16 weights are read exactly; an untied head, grouped queries, a head size of its own") {
  for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
    TemporaryFolder folder;
    TinyModel tiny = random_tiny_model(5);
    write_model(tiny, folder.path, dtype);
    round_to(tiny, dtype);
    signum::ThreadPool pool(2);
    const auto model = open(folder.path);
    CHECK(model->dtype() == dtype);
    CHECK(&model->embedding_table() != &model->head_table());
    size_t numbers = 0;
    for (const auto& [name, tensor] : tiny.tensors) numbers += tensor.values.size();
    CHECK(model->parameters() == numbers);
    for (const auto& linear : model->linears()) {
      const auto weight = model->weight(linear, pool);
      REQUIRE(weight.ok());
      const auto& values = tiny.tensors.at(linear.name + ".weight").values;
      CHECK(weight.value().rows() == linear.rows);
      CHECK(std::equal(values.begin(), values.end(), weight.value().data()));
    }
    CHECK(furthest(logits_of(folder.path, kTokens), naive_logits(tiny, kTokens)) < 2e-4);
  }
}

TEST_CASE("shards, and a hub cache's snapshot of links, give the logits of the single file") {
  TemporaryFolder folder;
  const TinyModel tiny = random_tiny_model(6);
  write_model(tiny, folder / "single");
  write_sharded(tiny, folder / "sharded");
  fs::create_directories(folder / "cache/blobs");
  fs::create_directories(folder / "cache/snapshots/abc");
  size_t blob = 0;
  for (const auto& entry : fs::directory_iterator(folder / "sharded")) {
    const std::string name = "blob" + std::to_string(blob++);
    fs::copy(entry.path(), folder / ("cache/blobs/" + name));
    fs::create_symlink("../../blobs/" + name,
                       folder / ("cache/snapshots/abc/" + entry.path().filename().string()));
  }
  REQUIRE(blob == 5);
  const Matrix single = logits_of(folder / "single", kTokens);
  CHECK(same_bytes(single, logits_of(folder / "sharded", kTokens)));
  CHECK(same_bytes(single, logits_of(folder / "cache/snapshots/abc", kTokens)));
  fs::create_directory_symlink(folder / "cache/snapshots/abc", folder / "link");
  CHECK(same_bytes(single, logits_of(folder / "link", kTokens)));

  const auto model = open(folder / "cache/snapshots/abc");
  REQUIRE(model->files().size() == 5);
  CHECK(model->files()[1].name == "model.safetensors.index.json");
  CHECK(model->files()[4].name == "model-00003-of-00003.safetensors");
  CHECK(model->files()[4].bytes == fs::file_size(folder / "sharded/model-00003-of-00003.safetensors"));
  CHECK(model->files()[0].bytes == tiny.config().size());
}

TEST_CASE("tied tables: stored as embedding, as head only, or both") {
  TinyModel tiny;
  tiny.tied = true;
  randomize(tiny, 7);
  const Rows expected = naive_logits(tiny, kTokens);
  const auto written = [&](const TinyModel& model) {
    TemporaryFolder folder;
    write_model(model, folder.path);
    CHECK(furthest(logits_of(folder.path, kTokens), expected) < 2e-4);
    const auto opened = open(folder.path);
    size_t numbers = 0;
    for (const auto& [name, tensor] : tiny.tensors) numbers += tensor.values.size();
    CHECK(opened->parameters() == numbers);
    return opened->notes();
  };
  CHECK(written(tiny).empty());

  TinyModel head_only = tiny;
  head_only.tensors["lm_head.weight"] = tiny.tensors["model.embed_tokens.weight"];
  head_only.tensors.erase("model.embed_tokens.weight");
  CHECK(written(head_only).empty());

  TinyModel both = tiny;
  both.tensors["lm_head.weight"] = tiny.tensors["model.embed_tokens.weight"];
  CHECK(written(both).empty());

  both.tensors["lm_head.weight"].values[5] += 1;
  CHECK(written(both) ==
        std::vector<std::string>{"The configuration ties the head to the embeddings, but lm_head.weight is "
                                 "stored with other values; they are not used."});

  TinyModel none = tiny;
  none.tensors.erase("model.embed_tokens.weight");
  TemporaryFolder folder;
  write_model(none, folder.path);
  CHECK(Model::open(folder.path).error().message == "The tensor model.embed_tokens.weight is missing.");
}

TEST_CASE("tensors outside the architecture are noted and belong to the layer of their name") {
  TemporaryFolder folder;
  TinyModel tiny = random_tiny_model(8);
  tiny.tensors["model.layers.1.self_attn.rotary_emb.inv_freq"] = {{5}, {1, 2, 3, 4, 5}};
  write_model(tiny, folder.path);
  CHECK(open(folder.path)->notes().empty());
  CHECK(open(folder.path)->other_tensors(1).size() == 3);
  tiny.tensors["model.layers.1.self_attn.q_proj.bias"] = {{2}, {1, 2}};
  write_model(tiny, folder.path);
  CHECK(open(folder.path)->notes() ==
        std::vector<std::string>{
            "1 tensor is not part of the architecture and not used: model.layers.1.self_attn.q_proj.bias."});
  CHECK(open(folder.path)->other_tensors(1).size() == 4);
  CHECK(open(folder.path)->other_tensors(2).size() == 3);
}

namespace {

// A packed folder written by hand: every linear as 8-bit codes, one step per row. model gets the values it
// decodes to.
void write_packed(TinyModel& model, const std::string& folder, size_t rows_off_by = 0) {
  fs::create_directories(folder);
  write_bytes(folder + "/config.json", model.config());
  std::string map;
  for (size_t layer = 0; layer <= model.layers; ++layer) {
    const std::string file = "model-0000" + std::to_string(layer + 1) + "-of-00003.safetensors";
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    std::vector<std::vector<uint8_t>> bytes;
    bytes.reserve(100);
    std::vector<signum::TensorToWrite> tensors;
    std::string linears;
    const auto store = [&](const std::string& name, DType dtype, std::vector<size_t> shape,
                           std::vector<uint8_t> data) {
      bytes.push_back(std::move(data));
      tensors.push_back({name, dtype, std::move(shape), bytes.back()});
      map += (map.empty() ? "\"" : ", \"") + name + "\": \"" + file + "\"";
    };
    for (auto& [name, tensor] : model.tensors) {
      if (layer < model.layers ? !name.starts_with(prefix) : name.starts_with("model.layers.")) continue;
      if (name.find("proj") == std::string::npos) {
        store(name, DType::F32, tensor.shape, stored_bytes(tensor, DType::F32));
        continue;
      }
      const size_t rows = tensor.shape[0], columns = tensor.shape[1];
      std::vector<uint8_t> codes;
      TinyTensor steps{{rows, 1}, {}};
      for (size_t i = 0; i < rows; ++i) {
        steps.values.push_back(0.001f * float(1 + i % 5));
        for (size_t j = 0; j < columns; ++j) {
          float& value = tensor.values[i * columns + j];
          const float step = steps.values.back();
          codes.push_back(uint8_t(std::max(0.0f, std::min(255.0f, std::nearbyint(value / step) + 128))));
          value = step * float(int(codes.back()) - 128);
        }
      }
      const std::string linear = name.substr(0, name.rfind('.'));
      signum::Layout layout;
      layout.method = signum::Method::Rtn;
      layout.rows = rows + rows_off_by;
      layout.columns = layout.group = columns;
      layout.scale_type = DType::F32;
      layout.bits = 8;
      codes.resize((rows + rows_off_by) * columns);
      steps.values.resize(rows + rows_off_by);
      store(linear + ".code", DType::U8, {rows + rows_off_by, columns}, codes);
      store(linear + ".code_scale", DType::F32, {rows + rows_off_by, 1}, stored_bytes(steps, DType::F32));
      store(linear + ".code_zero", DType::U8, {rows + rows_off_by, 1},
            std::vector<uint8_t>(rows + rows_off_by, 128));
      linears += (linears.empty() ? "\"" : ",\"") + linear + "\":" + signum::layout_to_json(layout);
    }
    const auto written = signum::write_safetensors(
        folder + "/" + file, tensors, {{"signum_format", "1"}, {"linears", "{" + linears + "}"}}, false);
    REQUIRE(written.ok());
  }
  write_bytes(folder + "/model.safetensors.index.json",
              "{\"metadata\": {\"signum_format\": \"1\"}, \"weight_map\": {" + map + "}}");
}

}  // namespace

TEST_CASE("a packed folder gives the logits of the weights it decodes to") {
  TemporaryFolder folder;
  TinyModel tiny = random_tiny_model(9);
  write_packed(tiny, folder / "packed");
  write_model(tiny, folder / "decoded");
  const auto packed = open(folder / "packed"), decoded = open(folder / "decoded");
  CHECK(packed->packed());
  CHECK(packed->parameters() == decoded->parameters());
  CHECK(packed->dtype() == DType::F32);
  CHECK(packed->notes().empty());
  CHECK(packed->linears().size() == 14);
  CHECK(packed->other_tensors(0).size() == 2);
  CHECK(packed->other_tensors(2).size() == 3);
  CHECK(same_bytes(logits_of(folder / "packed", kTokens), logits_of(folder / "decoded", kTokens)));

  write_packed(tiny, folder / "wrong", 1);
  const auto wrong = Model::open(folder / "wrong");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == "packed_broken");
  CHECK(wrong.error().message ==
        "The linear model.layers.0.self_attn.q_proj is packed as [61, 24], but config.json means [60, 24].");
}

TEST_CASE("a file that changes after opening is noticed") {
  TemporaryFolder folder;
  write_model(random_tiny_model(10), folder.path);
  const auto model = open(folder.path);
  CHECK(model->unchanged().ok());
  write_bytes(folder / "other", read_bytes(folder / "model.safetensors") + "x");
  fs::rename(folder / "other", folder / "model.safetensors");
  REQUIRE_FALSE(model->unchanged().ok());
  CHECK(model->unchanged().error().code == "model_changed");
}
