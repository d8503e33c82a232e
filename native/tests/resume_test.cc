// A run that was stopped, cancelled or disturbed: it goes on where it ended, with the same bytes, or says why
// not.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "run/state.h"
#include "tests/recorded_run.h"

using namespace signum;
namespace fs = std::filesystem;

TEST_CASE("stopped and resumed after any layer, activations in memory or in a file: the same bytes") {
  TinyRun tiny;
  RecordingObserver observer;
  const QuantizeOutcome straight = run_to_end(tiny.job("signum-rc", "straight"), observer);
  const auto expected = folder_bytes(straight.packed);
  const auto diagnostics = folder_bytes(tiny.run("straight") + "/diagnostics");
  CHECK(diagnostics.size() == 3);
  for (size_t layers : {0, 1, 2}) {
    CAPTURE(layers);
    QuantizeJob job = tiny.job("signum-rc", "stopped" + std::to_string(layers));
    run_and_stop(job, layers);
    CHECK_FALSE(fs::exists(job.run + "/packed/model.safetensors.index.json"));
    CHECK(folder_bytes(job.run + "/diagnostics").size() == layers);
    job.resume = true;
    job.activation_limit = 0;
    RecordingObserver again;
    const QuantizeOutcome outcome = run_to_end(job, again, 3);
    CHECK(again.plans.at(0).resumed_layers == layers);
    CHECK(again.linears.size() == 21);  // those of finished layers are told again
    CHECK(again.linears[20].weight_error == observer.linears[20].weight_error);
    CHECK(again.saved_shards.size() == 4 - layers);
    CHECK(folder_bytes(outcome.packed) == expected);
    CHECK(folder_bytes(job.run + "/diagnostics") == diagnostics);
    CHECK(outcome.numbers.linear_bytes == straight.numbers.linear_bytes);

    // Resumed once more: nothing is left to do.
    RecordingObserver finished;
    CHECK(run_to_end(job, finished).numbers.file_bytes == straight.numbers.file_bytes);
    CHECK(finished.saved_shards.empty());
    CHECK(folder_bytes(outcome.packed) == expected);
  }
}

TEST_CASE("cancelled anywhere and resumed: the same bytes") {
  TinyRun tiny(2);
  RecordingObserver observer;
  const auto expected = folder_bytes(run_to_end(tiny.job("arb-rc", "straight"), observer).packed);
  const auto diagnostics = folder_bytes(tiny.run("straight") + "/diagnostics");
  // The answer to the n-th question is yes: cancel between any two steps.
  size_t cancelled = 0;
  for (size_t n = 0; n < 60; n += 7) {
    CAPTURE(n);
    QuantizeJob job = tiny.job("arb-rc", "run" + std::to_string(n));
    RecordingObserver first;
    size_t asked = 0;
    first.cancel = [&] { return asked++ >= n; };
    ThreadPool pool(2);
    const auto end = run_quantize(job, first, pool);
    if (!end.ok()) {
      CHECK(end.error().code == "cancelled");
      ++cancelled;
    }
    write_bytes(job.run + "/packed/left.partial", "an interrupted writing");
    write_bytes(job.run + "/diagnostics/left.partial", "an interrupted writing");
    job.resume = fs::exists(job.run + "/state.json");
    if (!job.resume) fs::remove_all(job.run);
    RecordingObserver second;
    CHECK(folder_bytes(run_to_end(job, second).packed) == expected);
    CHECK(folder_bytes(job.run + "/diagnostics") == diagnostics);
  }
  CHECK(cancelled >= 4);
}

TEST_CASE("a resume that would mix inputs is refused, and says what differs") {
  TinyRun tiny;
  const QuantizeJob job = tiny.job("signum-rc");
  run_and_stop(job, 1);
  QuantizeJob resume = job;
  resume.resume = true;
  const std::string begin = "resume_mismatch This run began with something else (", end = ").";

  QuantizeJob other = resume;
  other.recipe.replace(other.recipe.find("\"refits\":2"), 10, "\"refits\":3");
  CHECK(try_run(other) == begin + "recipe: refits" + end);
  other = resume;
  other.recipe = tiny_recipes().at("billm");
  CHECK(try_run(other).starts_with(begin + "recipe: method"));
  other = resume;
  other.calibration->plan.seed = 8;
  other.calibration->plan.sequences = 5;
  CHECK(try_run(other) == begin + "calibration: seed, sequences" + end);
  other.calibration.reset();
  other.recipe = tiny_recipes().at("rtn");
  CHECK(try_run(other).find("calibration: given or not") != std::string::npos);

  const std::string tokens = read_bytes(tiny.tokens());
  tiny.write_tokens(6);
  CHECK(try_run(resume) == begin + "calibration: sha256" + end);
  write_bytes(tiny.tokens(), tokens);
  const std::string weights = read_bytes(tiny.source() + "/model.safetensors");
  std::string changed = weights;
  changed[changed.size() - 2] = char(changed[changed.size() - 2] ^ 1);
  write_bytes(tiny.source() + "/model.safetensors", changed);
  CHECK(try_run(resume) == begin + "source: model.safetensors" + end);
  write_bytes(tiny.source() + "/model.safetensors", weights);

  // Another machine, another program.
  const std::string state = read_bytes(job.run + "/state.json");
  auto json = nlohmann::json::parse(state);
  json["fingerprint"]["blas"] = "Other";
  json["fingerprint"]["program"] = "signum 0.0.9";
  write_bytes(job.run + "/state.json", json.dump());
  CHECK(try_run(resume).starts_with(begin + "program: was signum 0.0.9, is signum " SIGNUM_VERSION
                                            "; BLAS kernels: was Other, is "));
  write_bytes(job.run + "/state.json", state);
  CHECK(try_run(resume) == "ok");
}

TEST_CASE("a run goes on elsewhere where the job says so, and remembers which layers were made where") {
  TinyRun tiny;
  RecordingObserver observer;
  const auto expected = folder_bytes(run_to_end(tiny.job("gptq", "straight"), observer).packed);
  QuantizeJob job = tiny.job("gptq");
  run_and_stop(job, 1);
  const auto state = [&] { return nlohmann::json::parse(read_bytes(job.run + "/state.json")); };
  // As if a card had made the first layer.
  auto json = state();
  json["fingerprint"]["device"] = "Card, f32";
  write_bytes(job.run + "/state.json", json.dump());
  job.resume = true;
  CHECK(try_run(job).find("(device: was Card, f32, is cpu)") != std::string::npos);
  CHECK(state() == json);
  job.resume_elsewhere = true;
  RecordingObserver second;
  CHECK(folder_bytes(run_to_end(job, second).packed) == expected);
  CHECK(second.warnings == std::vector<std::string>{"device"});
  CHECK(second.plans.at(0).resumed_layers == 1);
  CHECK(state()["fingerprint"]["device"] == "cpu");
  CHECK(state()["earlier_devices"] ==
        nlohmann::json::parse(R"([{"finished_layers":1,"device":"Card, f32"}])"));
  // What else differs is refused all the same.
  job.recipe = tiny_recipes().at("billm");
  CHECK(try_run(job).starts_with("resume_mismatch "));
}

TEST_CASE("where a run's layers were made") {
  RunState state;
  state.fingerprint.device = "cpu";
  state.layers = 9;
  CHECK_FALSE(state.move_to("cpu"));
  CHECK(state.move_to("A"));  // nothing was made before
  CHECK(state.made_where() == "");
  state.finished_layers = 2;
  CHECK(state.move_to("B"));
  CHECK(state.move_to("A"));
  CHECK(state.made_where() == "");
  state.move_to("B");
  state.move_to("C");
  state.finished_layers = 5;
  state.move_to("A");
  CHECK(
      state.made_where() ==
      "Of its 9 layers 2 were made on A; then 3 on C; then the others on A. Devices round differently: made "
      "on one alone, its bytes would be others.");
  state.finished_layers = 9;
  state.move_to("cpu");  // nothing is left to make
  CHECK(state.made_where().find("; then 3 on C; then 4 on A. Devices") != std::string::npos);
  RunState whole;
  whole.fingerprint.device = "A";
  whole.layers = whole.finished_layers = 9;
  CHECK(whole.move_to("cpu"));
  CHECK(whole.made_where() == "");
}

TEST_CASE("folders that are not as they should be") {
  TinyRun tiny;
  QuantizeJob job = tiny.job("gptq");
  QuantizeJob resume = job;
  resume.resume = true;
  CHECK(try_run(resume) == "nothing_to_resume " + job.run + " holds no run to go on with.");
  CHECK_FALSE(fs::exists(job.run));
  run_and_stop(job, 2);
  CHECK(try_run(job) ==
        "run_in_use " + job.run + " already holds a run: resume it, or choose another folder.");

  QuantizeJob into_model = job;
  into_model.run = tiny.source();
  CHECK(try_run(into_model) == "run_in_use " + tiny.source() + " holds a model: choose another folder.");

  const int other = ::open((job.run + "/lock").c_str(), O_RDWR);
  REQUIRE(::flock(other, LOCK_EX | LOCK_NB) == 0);
  CHECK(try_run(resume) == "run_in_use Another worker works on " + job.run + ".");
  ::close(other);

  const std::string state = read_bytes(job.run + "/state.json");
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string("{\"version\":2}"), state.substr(0, 400)}) {
    write_bytes(job.run + "/state.json", bad);
    CHECK(try_run(resume).starts_with("nothing_to_resume " + job.run + "/state.json is "));
  }
  write_bytes(job.run + "/state.json", state);

  const std::string path = job.run + "/packed/model-00002-of-00004.safetensors", shard = read_bytes(path);
  std::string bad = shard;
  bad.back() = char(bad.back() ^ 1);
  write_bytes(path, bad);
  CHECK(try_run(resume).starts_with("packed_broken model-00002-of-00004.safetensors: tensor "));
  write_bytes(path, read_bytes(job.run + "/packed/model-00001-of-00004.safetensors"));
  CHECK(try_run(resume).starts_with("packed_broken "));
  QuantizeJob other_run = tiny.job("gptq", "other");
  other_run.recipe.replace(other_run.recipe.find("0.01"), 4, "0.02");
  run_and_stop(other_run, 2);
  write_bytes(path, read_bytes(other_run.run + "/packed/model-00002-of-00004.safetensors"));
  CHECK(try_run(resume) == "packed_broken model-00002-of-00004.safetensors: the shard is of another run.");
  fs::remove(path);
  CHECK(try_run(resume) ==
        "packed_broken model-00002-of-00004.safetensors: the shard of a finished layer is gone.");
  write_bytes(path, shard);
  CHECK(try_run(resume) == "ok");
}
