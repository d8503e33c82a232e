// The layer lab: trials against `layer` and `measure`, what is kept, what a halt leaves; then as others see
// it.
#include "lab/lab.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/pool.h"
#include "file/packed_shard.h"
#include "measure/measure.h"
#include "run/layer_job.h"
#include "tests/recorded_run.h"
#include "tests/worker_process.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

TinyRun& tiny() {
  static TinyRun run;
  return run;
}

std::string uncorrected(const std::string& method) {
  Json recipe = Json::parse(tiny_recipes().at(method));
  if (recipe["parameters"].contains("correction")) recipe["parameters"]["correction"] = 0;
  return recipe.dump();
}

LabJob lab_job(std::optional<std::string> hessians = std::nullopt) {
  const QuantizeJob run = tiny().job("rtn");
  return {.model = run.model,
          .calibration = run.calibration,
          .hessians = std::move(hessians),
          .folder = tiny().folder / "",
          .activation_limit = 1 << 30};
}

struct Bench {
  RecordingObserver observer;
  ThreadPool pool;
  Lab lab;

  explicit Bench(const LabJob& job, size_t threads = 2) : pool(threads), lab(opened(job, observer)) {}
  static Lab opened(const LabJob& job, Observer& observer) {
    auto lab = Lab::open(job, observer);
    REQUIRE_MESSAGE(lab.ok(), end_of(lab));
    return std::move(lab).value();
  }
  LabLinear put(const std::string& linear) {
    auto put = lab.put(linear, observer, pool);
    REQUIRE_MESSAGE(put.ok(), end_of(put));
    return std::move(put).value();
  }
  LabTrial attempt(const std::string& recipe, const std::string& folder) {
    auto trial = lab.try_recipe(recipe, folder, pool);
    REQUIRE_MESSAGE(trial.ok(), end_of(trial));
    return std::move(trial).value();
  }
  std::string refused(const std::string& recipe) {
    auto trial = lab.try_recipe(recipe, tiny().folder / "refused", pool);
    REQUIRE(!trial.ok());
    return trial.error().code;
  }
};

using Bytes = std::map<std::string, std::string>;

// Role -> bytes of a linear's tensors in a file.
Bytes tensors_of(const std::string& file, const std::string& linear) {
  const auto opened = SafetensorsFile::open(file).value();
  Bytes bytes;
  for (const auto& [name, tensor] : opened->tensors())
    if (name.starts_with(linear + "."))
      bytes[name.substr(linear.size() + 1)] =
          std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return bytes;
}

const std::string kShard = "/model-00001-of-00001.safetensors";
const std::string kUp = "model.layers.1.mlp.up_proj", kDown = "model.layers.1.mlp.down_proj",
                  kQuery = "model.layers.2.self_attn.q_proj";

// Weight and Hessian of a linear as `layer` reads them.
std::string layer_input(const std::string& linear, const std::string& hessian_file) {
  const auto model = Model::open(tiny().source()).value();
  ThreadPool pool(1);
  const auto info = std::ranges::find(model->linears(), linear, &LinearInfo::name);
  const Matrix weight = model->weight(*info, pool).value();
  const auto kept = SafetensorsFile::open(hessian_file).value();
  const std::string path = tiny().folder / "layer-input.safetensors";
  const auto bytes =
      std::span(reinterpret_cast<const uint8_t*>(weight.data()), weight.size() * sizeof(float));
  REQUIRE(write_safetensors(
              path,
              {{"weight", DType::F32, {info->rows, info->columns}, bytes},
               {"hessian", DType::F32, {info->columns, info->columns}, kept->find("hessian")->bytes}},
              {}, false)
              .ok());
  return path;
}

}  // namespace

TEST_CASE("a trial is what `layer` makes and what `measure` tells, bit for bit, on any number of threads") {
  std::vector<std::string> methods;
  for (const auto& [method, recipe] : tiny_recipes()) methods.push_back(method);
  struct Measured : RecordingObserver {
    std::map<std::pair<std::string, size_t>, Measurement> all;
    void measured(const Measurement& one) override { all[{one.linear, one.candidate}] = one; }
  } measured;
  const QuantizeJob run = tiny().job("rtn");
  MeasureJob measure{.model = run.model,
                     .candidates = {},
                     .calibration = *run.calibration,
                     .folder = tiny().folder / "",
                     .activation_limit = 1 << 30};
  for (const std::string& method : methods) measure.candidates.push_back(tiny_recipes().at(method));
  ThreadPool pool(2);
  REQUIRE(run_measure(measure, measured, pool).ok());

  const std::string store = tiny().folder / "hessians-equal";
  Bench bench(lab_job(store), 3), alone(lab_job(), 1);
  for (const auto& [linear, input] : {std::pair(kUp, "1-2"), std::pair(kDown, "1-3")}) {
    bench.put(linear);
    alone.put(linear);
    const std::string given = layer_input(linear, store + "/" + input + ".safetensors");
    for (size_t i = 0; i < methods.size(); ++i) {
      INFO(linear, " ", methods[i]);
      const std::string folder = tiny().folder / "trial", other = tiny().folder / "trial-alone";
      const LabTrial trial = bench.attempt(tiny_recipes().at(methods[i]), folder);
      alone.attempt(tiny_recipes().at(methods[i]), other);
      const std::string output = tiny().folder / "layer-output.safetensors";
      REQUIRE(run_layer({given, output, uncorrected(methods[i])}, measured, pool).ok());
      Bytes expected = tensors_of(output, "linear");
      CHECK(tensors_of(folder + kShard, linear) == expected);
      CHECK(tensors_of(other + kShard, linear) == expected);
      const Measurement& told = measured.all.at({linear, i});
      CHECK(trial.report.weight_error == told.weight_error);
      CHECK(*trial.report.output_error == told.output_error);
      CHECK(trial.report.nominal_bits == told.nominal_bits);
      CHECK(trial.report.bytes == told.bytes + told.order_bytes);
      CHECK(trial.report.linear_bits ==
            8.0 * double(trial.report.bytes) / double(trial.report.rows * trial.report.columns));
    }
  }
}

TEST_CASE("what is at hand: inputs of one layer, later layers from where the last one was, files") {
  const std::string store = tiny().folder / "hessians-kept";
  Bench bench(lab_job(store));
  CHECK_FALSE(bench.put(kUp).at_hand);
  CHECK(bench.put(kUp).tokens == 6 * 48);
  CHECK(bench.put(kDown).at_hand);
  CHECK_FALSE(bench.put(kQuery).at_hand);
  CHECK(bench.put(kUp).at_hand);  // from the file
  const Bytes before = folder_bytes(store);
  CHECK(before.size() == 8);

  // Straight to the later layer: the same bytes.
  std::filesystem::remove_all(store);
  Bench fresh(lab_job(store));
  CHECK_FALSE(fresh.put(kQuery).at_hand);
  for (const auto& [name, bytes] : folder_bytes(store)) CHECK(bytes == before.at(name));

  Bench next(lab_job(store));
  CHECK(next.put(kQuery).at_hand);
  // Back before the first layer that was passed, with nothing in a file.
  CHECK_FALSE(fresh.put(kUp).at_hand);
  CHECK(read_bytes(store + "/1-2.safetensors") == before.at("1-2.safetensors"));

  // Of another build, cut short, of another width: made again.
  std::string other = before.at("2-0.safetensors");
  other.replace(other.find("signum 0"), 8, "signum 9");
  for (const std::string& broken :
       {other, other.substr(0, other.size() / 2), before.at("1-3.safetensors"), std::string()}) {
    write_bytes(store + "/2-0.safetensors", broken);
    Bench again(lab_job(store));
    CHECK_FALSE(again.put(kQuery).at_hand);
    CHECK(read_bytes(store + "/2-0.safetensors") == before.at("2-0.safetensors"));
  }
}

TEST_CASE("histograms count every weight, levels are those of the row in the middle") {
  Bench bench(lab_job());
  const LabLinear linear = bench.put(kUp);
  const auto sum = [](const Histogram& one) {
    return std::accumulate(one.counts.begin(), one.counts.end(), uint64_t(0));
  };
  CHECK(sum(linear.weights) == 104 * 72);
  CHECK(linear.weights.range > 0);
  const LabTrial trial = bench.attempt(tiny_recipes().at("rtn"), tiny().folder / "levels");
  CHECK(sum(trial.quantized) == 104 * 72);
  CHECK(trial.quantized.range == linear.weights.range);
  CHECK(std::ranges::is_sorted(trial.levels));
  // Three groups of 3 bits, symmetric.
  CHECK(trial.levels.size() > 7);
  CHECK(trial.levels.size() <= 3 * 8);

  Matrix weight(3, 200);
  for (size_t i = 0; i < weight.size(); ++i) weight.data()[i] = float(int(i % 200) - 100);
  const std::vector<float> some = levels_of_row(weight, 1, 64);
  CHECK(some.size() == 64);
  CHECK(some.front() == -100);
  CHECK(some.back() == 99);
  const Histogram all = histogram(weight, 50, bench.pool);
  CHECK(all.counts.front() + all.counts.back() > 600 / 2 - 10);  // what lies outside
  CHECK(sum(all) == 600);
  CHECK(histogram_range(Matrix(2, 2), bench.pool) == 1);
}

TEST_CASE("bad requests are refused by name, and the lab goes on") {
  Bench bench(lab_job());
  CHECK(bench.refused(tiny_recipes().at("rtn")) == "job_invalid");
  CHECK(end_of(bench.lab.put("model.layers.9.mlp.up_proj", bench.observer, bench.pool))
            .starts_with("tensor_missing"));
  bench.put(kUp);
  CHECK(bench.refused("{}") == "recipe_invalid");
  Json recipe = Json::parse(tiny_recipes().at("gptq"));
  recipe["parameters"]["bits"] = 99;
  CHECK(bench.refused(recipe.dump()) == "recipe_invalid");
  recipe["parameters"].erase("bits");
  CHECK(bench.refused(recipe.dump()) == "recipe_invalid");

  LabJob without = lab_job();
  without.calibration.reset();
  Bench plain(without);
  CHECK(plain.put(kUp).tokens == 0);
  CHECK(plain.refused(tiny_recipes().at("gptq")) == "recipe_invalid");
  const LabTrial trial = plain.attempt(tiny_recipes().at("rtn"), tiny().folder / "plain");
  CHECK_FALSE(trial.report.output_error);
  const auto same = bench.attempt(tiny_recipes().at("rtn"), tiny().folder / "calibrated");
  CHECK(same.report.weight_error == trial.report.weight_error);
  CHECK(same.report.output_error);
}

TEST_CASE("wherever a halt falls, the lab goes on as if nothing had been") {
  Bench calm(lab_job());
  calm.put(kUp);
  calm.attempt(tiny_recipes().at("arb-rc"), tiny().folder / "calm");
  const Bytes expected = tensors_of(tiny().folder / "calm" + kShard, kUp);
  for (const size_t threads : {1, 2}) {
    Bench bench(lab_job(), threads);
    std::atomic<int> asked{0};
    size_t halts = 0;
    for (int limit = 1; limit < 100'000; limit = limit * 3 + 1) {
      asked = 0;
      bench.pool.interrupt_when([&] { return ++asked > limit; });
      try {
        const bool put = bench.lab.put(kUp, bench.observer, bench.pool).ok();
        REQUIRE(put);
        const auto trial =
            bench.lab.try_recipe(tiny_recipes().at("arb-rc"), tiny().folder / "halted", bench.pool);
        REQUIRE(trial.ok());
      } catch (const Interrupted&) {
        ++halts;
      }
    }
    CHECK(halts > 4);
    bench.pool.interrupt_when({});
    bench.put(kUp);
    bench.attempt(tiny_recipes().at("arb-rc"), tiny().folder / "after");
    CHECK(tensors_of(tiny().folder / "after" + kShard, kUp) == expected);
  }
}

namespace {

std::string line(const Json& json) { return json.dump() + "\n"; }
Json put_line(int id, const std::string& linear) {
  return {{"command", "put"}, {"id", id}, {"linear", linear}};
}
Json try_line(int id, const Json& recipe) {
  return {{"command", "try"},
          {"id", id},
          {"recipe", recipe},
          {"output", tiny().folder / ("session-" + std::to_string(id))}};
}
const std::string kStop = "{\"command\":\"stop\"}\n";

std::vector<std::string> arguments() {
  const Json job = {
      {"version", 1},
      {"threads", 2},
      {"model", tiny().source()},
      {"calibration",
       {{"tokens", tiny().tokens()}, {"sampling", "random"}, {"sequences", 6}, {"length", 48}, {"seed", 7}}},
      {"hessians", nullptr},
      {"folder", tiny().folder.path},
      {"activation_limit", 1 << 30}};
  write_bytes(tiny().folder / "lab.json", job.dump());
  return {"lab", "--job", tiny().folder / "lab.json"};
}

const Json& answer_to(const WorkerProcess& worker, int id) {
  const auto found = std::ranges::find_if(
      worker.events, [&](const Json& event) { return event.contains("id") && event["id"] == id; });
  REQUIRE(found != worker.events.end());
  return *found;
}

}  // namespace

TEST_CASE("a session: ready, linears, trials, refusals; stopped") {
  WorkerProcess worker(arguments());
  REQUIRE(worker.wait_for("ready"));
  const Json rtn = Json::parse(tiny_recipes().at("rtn"));
  worker.say(line(try_line(1, rtn)));  // nothing on the table
  worker.say(line(put_line(2, kDown)));
  worker.say(line(try_line(3, rtn)));
  worker.say("{\"command\":\"halt\",\"id\":99}\n");  // nobody waits under this number
  worker.say(line({{"command", "try"}, {"id", 4}, {"recipe", rtn}}));
  worker.say("what?\n");
  worker.say(line(try_line(5, {{"method", "rtn"}})));
  worker.say(line(put_line(6, "no.such.linear")));
  worker.say(line(put_line(7, kUp)));
  REQUIRE(worker.wait_for("linear"));
  while (worker.events.back().value("id", Json()) != 7) REQUIRE(worker.wait_for("linear"));
  worker.say(kStop);
  CHECK(worker.wait_for_end() == 0);
  CHECK(answer_to(worker, 1)["code"] == "job_invalid");
  const Json& down = answer_to(worker, 2);
  CHECK(down["event"] == "linear");
  CHECK(down["tokens"] == 6 * 48);
  CHECK(down["columns"] == 104);
  CHECK(down["weights"]["counts"].size() == kHistogramBins);
  const Json& trial = answer_to(worker, 3);
  CHECK(trial["event"] == "trial");
  CHECK(trial["report"]["name"] == kDown);
  CHECK(trial["report"]["relative_output_error"].is_number());
  CHECK(std::filesystem::exists(tiny().folder / "session-3/model.safetensors.index.json"));
  CHECK(answer_to(worker, 4)["code"] == "job_invalid");
  CHECK(answer_to(worker, 5)["code"] == "recipe_invalid");
  CHECK(answer_to(worker, 6)["code"] == "tensor_missing");
  CHECK(worker.events.back()["event"] == "finished");
  CHECK(worker.events.back()["result"] == Json{{"linears", 2}, {"trials", 1}});
}

TEST_CASE("a halt ends the line under way or waiting, and no other") {
  WorkerProcess worker(arguments());
  REQUIRE(worker.wait_for("ready"));
  const Json slow = Json::parse(tiny_recipes().at("signum-rc"));
  worker.say(line(put_line(1, kDown)));
  REQUIRE(worker.wait_for("linear"));
  for (int id = 2; id < 40; ++id) worker.say(line(try_line(id, slow)));
  for (int id = 2; id < 39; ++id) worker.say("{\"command\":\"halt\",\"id\":" + std::to_string(id) + "}\n");
  while (worker.events.back().value("id", Json()) != 39) REQUIRE(worker.wait_for("trial"));
  size_t halted = 0;
  for (int id = 2; id < 39; ++id) halted += answer_to(worker, id)["event"] == "halted";
  CHECK(halted > 10);
  worker.signal(SIGINT);
  CHECK(worker.wait_for_end() == 0);
}
