// Folders in the GPTQ checkpoint format, against another reader, and what has no such form.
#include "export/export_gptq.h"

#include <doctest/doctest.h>

#include "tests/gptq_reader.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/tiny_families.h"

using namespace signum;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

const ExportProgress kSilent = [](Phase, uint64_t, uint64_t) { return Status(); };

// Sides that are multiples of 32, some of them no multiple of 64 or 128.
TinyModel even_model(bool one_sided = false) {
  TinyModel model;
  model.hidden = 160;
  model.heads = 5;
  model.kv_heads = 1;
  model.head_dim = 32;
  model.intermediate = 192;
  model.layers = 1;
  model.vocabulary = 61;
  randomize(model, 21);
  // A row of positive weights: the code of the value 0 is 0.
  if (one_sided)
    for (size_t j = 0; j < 160; ++j) {
      float& weight = model.tensors.at("model.layers.0.self_attn.v_proj.weight").values[5 * 160 + j];
      weight = std::abs(weight) + 0.01f;
    }
  return model;
}

Json recipe_of(const std::string& method, int bits, int group, bool symmetric, const char* order = nullptr,
               const char* scale_type = "f16") {
  Json parameters = {{"bits", bits},
                     {"group", group},
                     {"symmetric", symmetric},
                     {"clip_search", false},
                     {"scale_type", scale_type}};
  if (order) parameters.update({{"order", order}, {"blocksize", 128}, {"correction", 0}, {"damping", 0.01}});
  return {{"method", method}, {"parameters", parameters}};
}

std::shared_ptr<const Model> packed_by(const TinyRun& tiny, const Json& recipe, const std::string& name) {
  RecordingObserver observer;
  QuantizeJob job = tiny.job("rtn", name);
  job.recipe = recipe.dump();
  return opened(run_to_end(job, observer).packed);
}

Result<ExportOutcome> try_export(const Model& model, const std::string& output) {
  ThreadPool pool(2);
  return export_gptq(model, output, {}, kSilent, pool);
}

// Every linear, in every bit.
void check_same(const Model& packed, const GptqReader& reader) {
  ThreadPool pool(2);
  for (const LinearInfo& linear : packed.linears()) {
    CAPTURE(linear.name);
    if (packed.find(linear.name + ".weight")) continue;
    const Matrix decoded = packed.weight(linear, pool).value();
    const std::vector<float> read = reader.weights(linear.name);
    REQUIRE(read.size() == decoded.size());
    CHECK(std::memcmp(read.data(), decoded.data(), read.size() * sizeof(float)) == 0);
    CHECK_FALSE(reader.file->find(linear.name + ".weight"));
  }
}

std::string refused(const TinyRun& tiny, const Json& recipe, const std::string& name) {
  const auto result = try_export(*packed_by(tiny, recipe, name), tiny.folder / ("out-" + name));
  CHECK_FALSE(fs::exists(tiny.folder / ("out-" + name)));
  CHECK_FALSE(fs::exists(tiny.folder / ("out-" + name + ".partial")));
  return end_of(result);
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every width, grid, group and order, read by another reader") {
  struct Method {
    const char *name, *order;
  };
  TinyRun tiny(even_model());
  size_t number = 0;
  for (const int bits : {2, 3, 4, 8})
    for (const bool symmetric : {false, true})
      for (const int group : {-1, 32, 64, 128})
        for (const auto& [method, order] :
             {Method{"rtn", nullptr}, Method{"gptq", "natural"}, Method{"gptq", "hessian"}}) {
          const Json recipe = recipe_of(method, bits, group, symmetric, order);
          CAPTURE(recipe.dump());
          const std::string name = std::to_string(number++);
          const auto packed = packed_by(tiny, recipe, name);
          const std::string output = tiny.folder / ("out-" + name);
          const auto done = try_export(*packed, output);
          REQUIRE_MESSAGE(done.ok(), end_of(done));
          const GptqReader reader(output);
          CHECK(reader.config["bits"] == bits);
          CHECK(reader.config["group_size"] == group);
          CHECK(reader.config["sym"] == symmetric);
          CHECK(reader.config["desc_act"] == (order && std::string(order) == "hessian"));
          CHECK(reader.config["checkpoint_format"] == "gptq");
          check_same(*packed, reader);
          CHECK(done.value().notes.size() == (group == 64 || group == 128 ? 1 : 0));
        }
}

TEST_CASE("a zero of 0 takes the form that can store it") {
  TinyRun tiny(even_model(true));
  for (const int bits : {2, 3, 4, 8}) {
    CAPTURE(bits);
    const std::string name = std::to_string(bits);
    const auto packed = packed_by(tiny, recipe_of("rtn", bits, 32, false), name);
    const auto done = try_export(*packed, tiny.folder / ("out-" + name));
    REQUIRE_MESSAGE(done.ok(), end_of(done));
    const GptqReader reader(tiny.folder / ("out-" + name));
    CHECK(reader.config["checkpoint_format"] == "gptq_v2");
    check_same(*packed, reader);
    REQUIRE(done.value().notes.size() == 1);
    CHECK(holds(done.value().notes[0], "gptq_v2"));
  }
  // Symmetric grids have their zero in the middle, whatever the weights.
  const auto packed = packed_by(tiny, recipe_of("rtn", 4, 32, true), "symmetric");
  REQUIRE(try_export(*packed, tiny.folder / "out").ok());
  CHECK(GptqReader(tiny.folder / "out").config["checkpoint_format"] == "gptq");
}

TEST_CASE("what is not quantized is F16; kept linears are named; config.json says what was done") {
  TinyModel model = even_model();
  model.options["torch_dtype"] = "\"bfloat16\"";
  model.options["unknown"] = R"({"b": 1, "a": [1, 2.5]})";
  TinyRun tiny(model);
  Json recipe = recipe_of("gptq", 4, 32, true, "hessian");
  recipe["overrides"] = {{{"linears", {"model.layers.0.mlp.down_proj"}}, {"keep", true}}};
  recipe["embedding_type"] = "rtn8";
  const auto packed = packed_by(tiny, recipe, "run");
  const std::string output = tiny.folder / "out";
  const auto done = try_export(*packed, output);
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  const GptqReader reader(output);
  check_same(*packed, reader);
  REQUIRE(done.value().types.size() == 2);
  CHECK(done.value().types[0].type == "F16");
  CHECK(done.value().types[0].tensors == 6);
  CHECK(done.value().types[1].type == "GPTQ 4 bits");
  CHECK(done.value().types[1].tensors == 24);
  size_t weights = 0;
  for (const LinearInfo& linear : packed->linears()) weights += linear.rows * linear.columns;
  CHECK(done.value().types[1].error.values() == weights - 160 * 192);
  CHECK(done.value().types[1].error.exact());
  CHECK(reader.config["dynamic"] == Json{{"-:^model\\.layers\\.0\\.mlp\\.down_proj$", Json::object()}});
  CHECK(reader.config["lm_head"] == false);
  // 6 linears of 4 tensors; one that is kept, two norms; embedding, last norm, head.
  CHECK(reader.file->tensors().size() == 6 * 4 + 1 + 2 + 3);
  for (const char* name : {"model.embed_tokens.weight", "lm_head.weight", "model.norm.weight",
                           "model.layers.0.mlp.down_proj.weight", "model.layers.0.input_layernorm.weight"})
    reader.tensor(name, DType::F16);
  Json config = Json::parse(read_bytes(output + "/config.json"));
  CHECK(config["torch_dtype"] == "float16");
  config.erase("quantization_config");
  config["torch_dtype"] = "bfloat16";
  CHECK(config == Json::parse(read_bytes(tiny.source() + "/config.json")));
  CHECK(read_bytes(output + "/tokenizer.json") == read_bytes(tiny.source() + "/tokenizer.json"));
  // It is no model to quantize again.
  CHECK(Model::open(output).error().code == "already_quantized");
}

TEST_CASE("fused linears and biases") {
  TinyFamily phi = tiny_phi3(0);
  phi.model.hidden = 160, phi.model.heads = 5, phi.model.kv_heads = 1, phi.model.head_dim = 32;
  phi.model.intermediate = 192, phi.model.layers = 1;
  phi.model.tensors.clear();
  randomize(phi.model, 3);
  for (const auto& [fused, parts] : std::map<std::string, std::vector<std::string>>{
           {"self_attn.qkv_proj", {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"}},
           {"mlp.gate_up_proj", {"mlp.gate_proj", "mlp.up_proj"}}}) {
    std::vector<TinyTensor> tensors;
    for (const std::string& part : parts) {
      const std::string name = "model.layers.0." + part + ".weight";
      tensors.push_back(phi.model.tensor(name));
      phi.model.tensors.erase(name);
    }
    phi.model.tensors["model.layers.0." + fused + ".weight"] = stacked(tensors);
  }
  TinyModel qwen = even_model();
  qwen.architecture = "Qwen2ForCausalLM";
  qwen.model_type = "qwen2";
  add_biases(qwen, {"q_proj", "k_proj", "v_proj"}, 4);
  for (const TinyModel& tiny_model : {phi.model, qwen}) {
    CAPTURE(tiny_model.architecture);
    TinyRun tiny(tiny_model);
    const auto packed = packed_by(tiny, recipe_of("gptq", 3, 32, false, "hessian"), "run");
    const auto done = try_export(*packed, tiny.folder / "out");
    REQUIRE_MESSAGE(done.ok(), end_of(done));
    const GptqReader reader(tiny.folder / "out");
    check_same(*packed, reader);
    if (tiny_model.model_type == "qwen2") reader.tensor("model.layers.0.self_attn.q_proj.bias", DType::F16);
  }
}

TEST_CASE("what the format has no form for is refused in a sentence") {
  TinyRun tiny(even_model());
  CHECK(holds(refused(tiny, recipe_of("rtn", 5, 32, false), "a"), "2, 3, 4 and 8 bits, and model.layers.0."));
  CHECK(holds(refused(tiny, Json::parse(tiny_recipes().at("billm")), "b"), "q_proj is billm."));
  CHECK(holds(refused(tiny, recipe_of("rtn", 4, 32, false, nullptr, "f32"), "c"), "is no F16 number"));
  Json mixed = recipe_of("rtn", 4, 32, true);
  mixed["overrides"] = {{{"linears", {"model.layers.0.mlp.up_proj"}},
                         {"method", "rtn"},
                         {"parameters", recipe_of("rtn", 8, 32, true)["parameters"]}}};
  CHECK(holds(refused(tiny, mixed, "d"), "one number of bits; this model has linears of 4 and of 8."));
  mixed["overrides"][0]["parameters"] = recipe_of("rtn", 4, 64, true)["parameters"];
  CHECK(holds(refused(tiny, mixed, "e"), "groups of 32 and of 64."));
  mixed["overrides"][0]["parameters"] = recipe_of("rtn", 4, -1, true)["parameters"];
  CHECK(holds(refused(tiny, mixed, "f"), "groups of 32 and of whole rows."));
  CHECK(holds(end_of(try_export(*opened(tiny.source()), tiny.folder / "out-g")), "no quantized linear"));
  TinyRun odd(1);  // 72 wide
  CHECK(holds(refused(odd, recipe_of("rtn", 3, 32, true), "h"), "no multiple of 32."));
  CHECK(holds(refused(odd, recipe_of("rtn", 2, 32, true), "i"), "no multiple of 16."));
}

TEST_CASE("whole rows that are no wider than a group go with groups; scales of another type may fit") {
  TinyModel model = even_model();
  model.intermediate = 32;
  model.tensors.clear();
  randomize(model, 9);
  TinyRun tiny(model);
  const auto packed = packed_by(tiny, recipe_of("rtn", 4, 64, true), "run");
  REQUIRE(try_export(*packed, tiny.folder / "out").ok());
  const GptqReader reader(tiny.folder / "out");
  CHECK(reader.config["group_size"] == 64);
  check_same(*packed, reader);
  const auto coarse = packed_by(tiny, recipe_of("rtn", 4, 64, true, nullptr, "bf16"), "coarse");
  const auto done = try_export(*coarse, tiny.folder / "coarse-out");
  REQUIRE_MESSAGE(done.ok(), end_of(done));
  check_same(*coarse, GptqReader(tiny.folder / "coarse-out"));
}
