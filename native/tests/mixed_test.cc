// Runs whose linears have recipes of their own: several methods in one layer, linears that are kept.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "file/packed_shard.h"
#include "run/preflight.h"
#include "tests/recorded_run.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

const std::string kLayer = "model.layers.1.";

// The recipe of one method for all, with another method or none for some.
std::string with_overrides(const std::string& method, const Json& overrides) {
  Json recipe = Json::parse(tiny_recipes().at(method));
  recipe["overrides"] = overrides;
  return recipe.dump();
}

Json override_for(const std::vector<std::string>& linears, const std::string& method) {
  Json one = Json::parse(tiny_recipes().at(method));
  one["linears"] = linears;
  return one;
}

// Every input of layer 1 has linears of several kinds; q and k of two methods have one order in common.
Json several() {
  return Json::array({{{"linears", {kLayer + "self_attn.v_proj", kLayer + "mlp.down_proj"}}, {"keep", true}},
                      override_for({kLayer + "self_attn.k_proj"}, "gptq"),
                      override_for({kLayer + "self_attn.o_proj"}, "rtn"),
                      override_for({kLayer + "mlp.up_proj"}, "billm")});
}

TinyRun& tiny() {
  static TinyRun run;
  return run;
}

QuantizeJob mixed_job(const std::string& name) {
  QuantizeJob job = tiny().job("signum-rc", name);
  job.recipe = with_overrides("signum-rc", several());
  return job;
}

}  // namespace

TEST_CASE("every linear is packed as its recipe says, and counted as it is stored") {
  RecordingObserver observer;
  const QuantizeOutcome outcome = run_to_end(mixed_job("mixed"), observer);
  const auto original = Model::open(tiny().source()).value();
  const auto packed = Model::open(outcome.packed);
  REQUIRE_MESSAGE(packed.ok(), end_of(packed));
  CHECK(packed.value()->parameters() == original->parameters());

  const std::map<std::string, std::string> expected = {
      {"self_attn.q_proj", "signum-rc"}, {"self_attn.k_proj", "gptq"},   {"self_attn.v_proj", "keep"},
      {"self_attn.o_proj", "rtn"},       {"mlp.gate_proj", "signum-rc"}, {"mlp.up_proj", "billm"},
      {"mlp.down_proj", "keep"}};
  const auto shard = PackedShard::open(outcome.packed + "/model-00002-of-00004.safetensors").value();
  ThreadPool pool(2);
  REQUIRE(observer.linears.size() == 21);
  size_t bytes = 0, weights = 0;
  double nominal = 0;
  for (size_t i = 0; i < 21; ++i) {
    const LinearReport& report = observer.linears[i];
    const LinearInfo& info = original->linears()[i];
    REQUIRE(report.name == info.name);
    const std::string method =
        info.layer == 1 ? expected.at(info.name.substr(kLayer.size())) : std::string("signum-rc");
    CHECK(report.method == method);
    bytes += report.bytes;
    weights += report.rows * report.columns;
    nominal += report.nominal_bits * double(report.rows * report.columns);
    const Matrix was = original->weight(info, pool).value(), is = packed.value()->weight(info, pool).value();
    const bool same = std::equal(was.data(), was.data() + was.size(), is.data());
    CHECK(same == (method == "keep"));
    CHECK((report.weight_error == 0) == same);
    CHECK((report.output_error.value() == 0) == same);
    if (info.layer != 1) continue;
    CHECK(shard->layouts().contains(info.name) == (method != "keep"));
    if (method == "keep") {
      CHECK(report.nominal_bits == 16);
      CHECK(report.linear_bits == 16);
    } else {
      CHECK(method_id(shard->layouts().at(info.name).method) == method);
    }
  }
  CHECK(outcome.numbers.linear_bytes == bytes);
  CHECK(outcome.numbers.weights == weights);
  CHECK(outcome.numbers.nominal_bits == doctest::Approx(nominal / double(weights)));

  // One order for the linears of an input, whatever their methods.
  CHECK(shard->layouts().at(kLayer + "self_attn.q_proj").order_tensor == kLayer + "self_attn.q_proj.order");
  CHECK(shard->layouts().at(kLayer + "self_attn.k_proj").order_tensor == kLayer + "self_attn.q_proj.order");
  CHECK_FALSE(shard->file()->find(kLayer + "self_attn.k_proj.order"));

  size_t file_bytes = 0;
  for (const auto& [name, content] : folder_bytes(outcome.packed))
    if (name.ends_with(".safetensors")) file_bytes += content.size();
  CHECK(file_bytes <= shards_bytes(*original, RunRecipe::from_json(mixed_job("x").recipe).value(), 0));
}

TEST_CASE("a linear gets the bytes that it would get in a run of its own recipe alone") {
  // Layer 0: what comes before is the original in both runs.
  QuantizeJob job = tiny().job("gptq", "two");
  job.recipe =
      with_overrides("gptq", Json::array({override_for({"model.layers.0.self_attn.k_proj"}, "arb-x")}));
  RecordingObserver observer, alone_observer;
  const std::string both = run_to_end(job, observer).packed;
  const std::string alone = run_to_end(tiny().job("arb-x", "alone"), alone_observer).packed;
  const auto of = [](const std::string& folder) {
    const auto shard = PackedShard::open(folder + "/model-00001-of-00004.safetensors").value();
    return shard->linear("model.layers.0.self_attn.k_proj").value();
  };
  const PackedLinear one = of(both), other = of(alone);
  REQUIRE(one.tensors.size() == other.tensors.size());
  for (size_t i = 0; i < one.tensors.size(); ++i) CHECK(one.tensors[i].bytes == other.tensors[i].bytes);
}

TEST_CASE("the same bytes for any thread count, stopped and resumed") {
  RecordingObserver observer;
  const auto expected = folder_bytes(run_to_end(mixed_job("one-thread"), observer, 1).packed);
  QuantizeJob job = mixed_job("resumed");
  run_and_stop(job, 2);
  job.resume = true;
  CHECK(folder_bytes(run_to_end(job, observer, 3).packed) == expected);
  job.recipe = tiny_recipes().at("signum-rc");
  CHECK(try_run(job) == "resume_mismatch This run began with something else (recipe: overrides).");
}

TEST_CASE("everything kept: the model's own tensors, in shards") {
  QuantizeJob job = tiny().job("gptq", "kept");
  const auto model = Model::open(tiny().source()).value();
  std::vector<std::string> names;
  for (const LinearInfo& linear : model->linears()) names.push_back(linear.name);
  job.recipe = with_overrides("gptq", Json::array({{{"linears", names}, {"keep", true}}}));
  job.calibration.reset();  // no recipe is left that needs one
  RecordingObserver observer;
  const QuantizeOutcome outcome = run_to_end(job, observer);
  CHECK(outcome.numbers.linear_bits == 16);
  CHECK(outcome.numbers.nominal_bits == 16);
  CHECK(Model::open(outcome.packed).value()->parameters() == model->parameters());
}

TEST_CASE("recipes that cannot be") {
  const Json rtn = Json::parse(tiny_recipes().at("rtn"));
  const auto refusal = [](const Json& overrides) {
    return end_of(RunRecipe::from_json(with_overrides("rtn", overrides)));
  };
  CHECK(refusal(Json::object()) == "recipe_invalid The recipe's overrides must be a list.");
  CHECK(refusal(Json::array({rtn})) == "recipe_invalid An override must name its linears.");
  CHECK(refusal(Json::array({{{"linears", {"a"}}, {"keep", false}}})) ==
        "recipe_invalid An override either keeps its linears ('keep': true) or has a method and parameters.");
  CHECK(refusal(Json::array({{{"linears", {"a"}}, {"kept", true}}})) ==
        "recipe_invalid An override has no key 'kept'.");
  CHECK(refusal(Json::array({{{"linears", {1}}, {"keep", true}}})) ==
        "recipe_invalid An override must name its linears by text.");
  CHECK(refusal(Json::array({{{"linears", {"a"}}}})) ==
        "recipe_invalid A recipe must have a method and its parameters.");
  CHECK(refusal(Json::array({{{"linears", {"a"}}, {"keep", true}}, {{"linears", {"a"}}, {"keep", true}}})) ==
        "recipe_invalid The linear a is overridden twice.");
  QuantizeJob job = tiny().job("rtn", "unknown");
  job.recipe = with_overrides("rtn", Json::array({{{"linears", {"model.layers.9.mlp"}}, {"keep", true}}}));
  CHECK(try_run(job) ==
        "recipe_invalid The recipe overrides the linear model.layers.9.mlp, which the model does not have.");
  job.recipe = with_overrides("rtn", Json::array({override_for({"model.layers.0.mlp.up_proj"}, "gptq")}));
  job.calibration.reset();
  CHECK(try_run(job) == "job_invalid This recipe of gptq needs a calibration.");
}
