// The worker: its events, its jobs, and the process as others see it.
#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "model/model.h"
#include "tests/recorded_run.h"
#include "tests/worker_process.h"
#include "worker/events.h"
#include "worker/job.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

// Lines that `write` makes an EventWriter write.
std::vector<std::string> lines_of(const std::function<void(EventWriter&)>& write) {
  TemporaryFolder folder;
  const int fd = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  EventWriter events(fd);
  write(events);
  ::close(fd);
  std::vector<std::string> lines;
  std::ifstream in(folder / "out");
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Threads of a long run, on a machine where the tests share the cores.
Json job_json(const TinyRun& tiny, const std::string& method) {
  return {
      {"version", 1},
      {"threads", 2},
      {"model", tiny.source()},
      {"run", tiny.run()},
      {"recipe", Json::parse(tiny_recipes().at(method))},
      {"calibration",
       {{"tokens", tiny.tokens()}, {"sampling", "random"}, {"sequences", 6}, {"length", 48}, {"seed", 7}}},
      {"resume", false},
      {"activation_limit", 1 << 30}};
}

Json measure_json(const TinyRun& tiny) {
  const Json run = job_json(tiny, "gptq");
  return {{"version", 1},
          {"threads", 2},
          {"model", tiny.source()},
          {"candidates", {run["recipe"], Json::parse(tiny_recipes().at("signum-rc"))}},
          {"calibration", run["calibration"]},
          {"probe", 1},
          {"probe_sequences", 3},
          {"folder", tiny.folder / ""},
          {"activation_limit", 1 << 30}};
}

std::string write_job(const TinyRun& tiny, const Json& job) {
  write_bytes(tiny.folder / "job.json", job.dump());
  return tiny.folder / "job.json";
}

// A model and a calibration that take seconds in each layer.
struct SlowRun : TinyRun {
  SlowRun() : TinyRun(1) {
    model = TinyModel{.hidden = 256,
                      .intermediate = 512,
                      .layers = 6,
                      .heads = 4,
                      .kv_heads = 2,
                      .head_dim = 64,
                      .vocabulary = 61,
                      .tensors = {}};
    randomize(model, 12);
    write_model(model, source(), DType::F16);
  }
  Json job() const {
    Json job = job_json(*this, "arb-rc");
    job["calibration"]["sequences"] = 300;
    job["recipe"]["parameters"]["iterations"] = 100;
    return job;
  }
};

}  // namespace

TEST_CASE("events: numbered, timed, and never NaN") {
  const auto lines = lines_of([](EventWriter& events) {
    events.emit("first", Json::object());
    events.emit("second", {{"path", "a\"b\n\xff"}, {"value", 1.5}});
    events.emit("third", {{"result", {{"losses", {1.0, std::nan(""), 2.0}}}}});
    CHECK(events.end("finished", {{"x", -std::numeric_limits<double>::infinity()}}));
    events.emit("late", Json::object());
    events.emit_progress({{"late", true}});
    CHECK_FALSE(events.end("cancelled", Json::object()));
    CHECK_FALSE(events.end_in_time("cancelled", Json::object(), std::chrono::milliseconds(1)));
    events.end_lost_file("/late");
  });
  REQUIRE(lines.size() == 6);
  double before = -1;
  for (size_t i = 0; i < lines.size(); ++i) {
    const Json event = Json::parse(lines[i]);
    CHECK(event["seq"] == i);
    CHECK(event["elapsed"].get<double>() >= before);
    before = event["elapsed"];
  }
  CHECK(Json::parse(lines[1])["path"] == "a\"b\n\xef\xbf\xbd");
  CHECK(Json::parse(lines[2])["message"] == "third: result.losses.1 is not a finite number.");
  CHECK(Json::parse(lines[3])["result"]["losses"] == Json({1.0, nullptr, 2.0}));
  CHECK(Json::parse(lines[4])["event"] == "warning");
  CHECK(Json::parse(lines[5])["event"] == "finished");
  CHECK(Json::parse(lines[5])["x"].is_null());
}

TEST_CASE("events of several threads stay whole and in order; progress is thinned") {
  const auto lines = lines_of([](EventWriter& events) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) events.emit("e", {{"text", std::string(300, 'x')}});
      });
    for (auto& thread : threads) thread.join();
    for (int i = 0; i < 1000; ++i) events.emit_progress({{"done", i}});
  });
  CHECK(lines.size() >= 2001);
  CHECK(lines.size() < 2020);
  for (size_t i = 0; i < lines.size(); ++i) CHECK(Json::parse(lines[i])["seq"] == i);
}

TEST_CASE("the line for a file that shrank is JSON whatever the path") {
  for (const std::string path : {"/a \"quoted\"\\\n\x01 path", "/p", ""}) {
    const auto lines = lines_of([&](EventWriter& events) {
      events.emit("one", Json::object());
      events.end_lost_file(path.c_str());
    });
    REQUIRE(lines.size() == 2);
    const Json event = Json::parse(lines[1]);
    CHECK(event["seq"] == 1);
    CHECK(event["event"] == "failed");
    CHECK(event["code"] == "model_changed");
    CHECK(event["elapsed"].is_number_float());
  }
  const auto lines =
      lines_of([&](EventWriter& events) { events.end_lost_file(std::string(5000, 'p').c_str()); });
  CHECK(Json::parse(lines.at(0))["message"].get<std::string>().ends_with("ppp shrank while it was read."));
}

TEST_CASE("a reader that is gone does not hold the worker") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  ::signal(SIGPIPE, SIG_IGN);
  EventWriter events(ends[1]);
  events.emit("one", Json::object());
  CHECK(events.broken());
  ::close(ends[1]);

  // One that does not read: the last word is given up.
  REQUIRE(::pipe(ends) == 0);
  EventWriter stuck(ends[1]);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  while (::write(ends[1], "0123456789abcdef", 16) > 0) continue;
  const auto began = std::chrono::steady_clock::now();
  CHECK(stuck.end_in_time("cancelled", Json::object(), std::chrono::milliseconds(100)));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("jobs: what is wrong is named") {
  const Json quantize = {
      {"version", 1},
      {"threads", 0},
      {"model", "/m"},
      {"run", "/r"},
      {"recipe", {{"method", "rtn"}, {"parameters", Json::object()}}},
      {"calibration",
       {{"tokens", "/t"}, {"sampling", "random"}, {"sequences", 3}, {"length", 8}, {"seed", 0}}},
      {"resume", true},
      {"activation_limit", 5}};
  const auto error = [](const std::string& command, const Json& job) {
    const auto parsed = parse_job(command, job.dump());
    return parsed.ok() ? "ok" : parsed.error().code + " " + parsed.error().message;
  };
  const auto with = [&](const char* pointer, const Json& value) {
    Json job = quantize;
    job[Json::json_pointer(pointer)] = value;
    return error("quantize", job);
  };
  const auto job = parse_job("quantize", quantize.dump());
  REQUIRE(job.ok());
  const auto& parsed = std::get<QuantizeJob>(job.value().work);
  CHECK(parsed.recipe == R"({"method":"rtn","parameters":{}})");
  CHECK(parsed.calibration->plan.sampling == Sampling::Random);
  CHECK(parsed.calibration->plan.length == 8);
  CHECK(parsed.resume);
  CHECK(with("/calibration", nullptr) == "ok");

  CHECK(parse_job("quantize", "{").error().message == "The job is not JSON.");
  CHECK(error("quantize", Json::array()) == "job_invalid The job must be an object.");
  CHECK(with("/version", 2) == "job_invalid The job's field 'version' must be a whole number from 1 to 1.");
  CHECK(with("/threads", -1) ==
        "job_invalid The job's field 'threads' must be a whole number from 0 to 1024.");
  CHECK(with("/threads", 1.5) ==
        "job_invalid The job's field 'threads' must be a whole number from 0 to 1024.");
  CHECK(with("/model", "m") == "job_invalid The job's field 'model' must be an absolute path.");
  CHECK(with("/recipe", "rtn") == "job_invalid The job's field 'recipe' must be an object.");
  CHECK(with("/resume", 1) == "job_invalid The job's field 'resume' must be true or false.");
  CHECK(with("/calibration", 1) == "job_invalid The job's field 'calibration' must be an object.");
  CHECK(with("/calibration/sampling", "all") ==
        "job_invalid The job's field 'calibration.sampling' must be sequential or random or documents.");
  CHECK(with("/calibration/seed", "0") ==
        "job_invalid The job's field 'calibration.seed' must be a whole number from 0 to 9007199254740992.");
  CHECK(with("/calibration/more", 1) ==
        "job_invalid The job has a field 'calibration.more', which is not known.");
  CHECK(with("/more", 1) == "job_invalid The job has a field 'more', which is not known.");
  for (const char* key :
       {"version", "threads", "model", "run", "recipe", "calibration", "resume", "activation_limit"}) {
    Json without = quantize;
    without.erase(key);
    CHECK(error("quantize", without)
              .starts_with(std::string("job_invalid The job's field '") + key + "' must be "));
  }
  const Json evaluate = {{"version", 1},   {"threads", 1}, {"model", "/m"}, {"reference", {}},
                         {"tokens", "/t"}, {"window", 2},  {"bos", {}},     {"protocol", "llama.cpp"},
                         {"targets", "/x"}};
  CHECK(error("evaluate", evaluate) == "ok");
  const auto evaluated = [&](const char* key, const Json& value) {
    Json changed = evaluate;
    changed[key] = value;
    return error("evaluate", changed);
  };
  CHECK(evaluated("bos", 7) == "ok");
  CHECK(evaluated("reference", "/r") == "ok");
  CHECK(evaluated("window", 1) ==
        "job_invalid The job's field 'window' must be a whole number from 2 to 16777216.");
  CHECK(evaluated("protocol", "paper") ==
        "job_invalid The job's field 'protocol' must be papers or llama.cpp.");
  CHECK(evaluated("bos", -1) ==
        "job_invalid The job's field 'bos' must be a whole number from 0 to 4294967295.");
  CHECK(evaluated("reference", "r") == "job_invalid The job's field 'reference' must be an absolute path.");
  for (const char* key : {"reference", "tokens", "window", "bos", "protocol", "targets"}) {
    Json without = evaluate;
    without.erase(key);
    CHECK(error("evaluate", without).starts_with(std::string("job_invalid The job's field '") + key + "'"));
  }
  const Json measure = measure_json(TinyRun(1));
  CHECK(error("measure", measure) == "ok");
  Json candidates = measure;
  candidates["candidates"] = Json::array({"rtn"});
  CHECK(error("measure", candidates) ==
        "job_invalid The job's field 'candidates' must be a list of objects.");
  for (const char* key :
       {"model", "candidates", "calibration", "probe", "probe_sequences", "folder", "activation_limit"}) {
    Json without = measure;
    without.erase(key);
    CHECK(error("measure", without).starts_with(std::string("job_invalid The job's field '") + key + "'"));
  }
  CHECK(error("devices", {{"version", 1}, {"threads", 1}}) == "ok");

  const auto on_device = [&](const std::string& key, Json value) {
    Json job = evaluate;
    job[key] = value;
    return error("evaluate", job);
  };
  for (const char* device : {"cpu", "cuda", "cuda:0", "cuda:12"}) CHECK(on_device("device", device) == "ok");
  for (const Json& device : {Json("gpu"), Json("cuda:"), Json("cuda:x"), Json("cuda:1234"), Json(0), Json()})
    CHECK(on_device("device", device) == "job_invalid The job's field 'device' must be cpu, cuda or cuda:N.");
  CHECK(on_device("device_libraries", "/opt/lib") == "ok");
  CHECK(on_device("device_libraries", Json()) == "ok");
  CHECK(on_device("device_libraries", "lib") ==
        "job_invalid The job's field 'device_libraries' must be an absolute path.");
  CHECK(on_device("device_memory_limit", 1 << 30) == "ok");
  CHECK(on_device("device_memory_limit", Json()) == "ok");
  CHECK(on_device("device_memory_limit", 0).starts_with("job_invalid "));
  for (const char* precision : {"f32", "bf16x3", "tf32"}) CHECK(on_device("precision", precision) == "ok");
  CHECK(on_device("precision", "f16") ==
        "job_invalid The job's field 'precision' must be f32 or bf16x3 or tf32.");
  CHECK(error("inspect", {{"version", 1}, {"threads", 1}, {"model", "/m"}, {"device", "cpu"}}) ==
        "job_invalid The job has a field 'device', which is not known.");
}

TEST_CASE("usage and jobs that are no jobs") {
  CHECK(WorkerProcess({}).wait_for_end() == 2);
  CHECK(WorkerProcess({"sing", "--job", "/x"}).wait_for_end() == 2);
  CHECK(WorkerProcess({"devices"}).wait_for_end() == 2);
  CHECK(WorkerProcess({"devices", "--job"}).wait_for_end() == 2);
  WorkerProcess absent({"devices", "--job", "/nowhere/job.json"});
  CHECK(absent.wait_for_end() == 1);
  REQUIRE(absent.events.size() == 1);
  CHECK(absent.events[0]["code"] == "job_invalid");
}

TEST_CASE("a worker without CUDA says why there is no card, and plans for one all the same") {
  TinyRun tiny(1);
  Json job = job_json(tiny, "gptq");
  job["device"] = "cuda";
  WorkerProcess refused({"quantize", "--job", write_job(tiny, job)});
  CHECK(refused.wait_for_end() == 1);
  CHECK(refused.events.back()["code"] == "device_missing");
  CHECK(refused.events.back()["message"].get<std::string>().find("without CUDA") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(tiny.run() + "/state.json"));

  const auto result = [&](const std::string& command, const Json& asked) {
    WorkerProcess worker({command, "--job", write_job(tiny, asked)});
    CHECK(worker.wait_for_end() == 0);
    CHECK(worker.events.front()["device"].is_null());
    return worker.events.back()["result"];
  };
  const Json list = result("devices", {{"version", 1}, {"threads", 1}});
  CHECK(list["devices"].empty());
  CHECK(list["reason"].is_string());
  CHECK(list["built"].is_null());
  Json question = {{"version", 1},
                   {"threads", 1},
                   {"model", tiny.source()},
                   {"recipe", Json::parse(tiny_recipes().at("gptq"))},
                   {"calibration", {{"sequences", 6}, {"length", 48}}},
                   {"activation_memory_bytes", 1 << 30},
                   {"memory_bytes", uint64_t(8) << 30}};
  const Json plan = result("device-plan", question);
  CHECK(plan["fits"] == true);
  CHECK(plan["activations"] == "device");
  CHECK(plan["advice"].is_null());
  CHECK(plan["parts"].size() >= 3);
  CHECK(plan["host_bytes"] > uint64_t(512) << 20);
  question["memory_bytes"] = 1 << 20;
  const Json small = result("device-plan", question);
  CHECK(small["fits"] == false);
  CHECK(small["advice"].is_string());
}

TEST_CASE("devices, inspect, quantize, evaluate, logits and measure as processes") {
  TinyRun tiny;
  const auto run = [&](const std::string& command, const Json& job) {
    WorkerProcess worker({command, "--job", write_job(tiny, job)});
    CHECK(worker.wait_for_end() == 0);
    REQUIRE(worker.events.size() >= 2);
    CHECK(worker.events.front()["event"] == "started");
    CHECK(worker.events.front()["command"] == command);
    CHECK(worker.events.back()["event"] == "finished");
    for (size_t i = 0; i < worker.events.size(); ++i) CHECK(worker.events[i]["seq"] == i);
    return worker.events.back()["result"];
  };
  const Json common = {{"version", 1}, {"threads", 2}};
  const auto with = [&](Json more) {
    more.update(common);
    return more;
  };
  CHECK(run("devices", common)["cpu"]["threads"] == 2);
  const Json model = run("inspect", with({{"model", tiny.source()}}));
  CHECK(model["architecture"] == "LlamaForCausalLM");
  CHECK(model["linears"].size() == 21);
  CHECK(model["linears"][9]["name"] == "model.layers.1.self_attn.v_proj");
  CHECK(model["packed"] == false);
  CHECK(model["dtype"] == "F16");

  const Json result = run("quantize", job_json(tiny, "signum-rc"));
  CHECK(result["packed"] == tiny.run() + "/packed");
  CHECK(result["weights"].get<size_t>() < result["parameters"].get<size_t>());
  CHECK(result["seconds"].contains("calibrate"));
  CHECK(run("inspect", with({{"model", tiny.run() + "/packed"}}))["packed"] == true);

  const Json evaluate = with({{"model", tiny.run() + "/packed"},
                              {"reference", tiny.source()},
                              {"tokens", tiny.tokens()},
                              {"window", 50},
                              {"protocol", "papers"},
                              {"bos", {}},
                              {"targets", tiny.folder / "targets"}});
  const Json measured = run("evaluate", evaluate);
  CHECK(measured["protocol"] == "papers");
  CHECK(measured["windows"] == 14);
  CHECK(measured["tokens"] == 14 * 49);
  for (const char* one : {"model", "reference"}) {
    CHECK(measured[one]["window_losses"].size() == 14);
    double sum = 0;
    for (const Json& loss : measured[one]["window_losses"]) sum += loss.get<double>();
    CHECK(measured[one]["perplexity"].get<double>() == doctest::Approx(std::exp(sum / 14)));
  }
  CHECK(measured["comparison"]["kld"]["mean"]["value"].get<double>() > 0);
  CHECK(measured["comparison"]["kld"]["percentiles"]["99.9"].get<double>() <=
        measured["comparison"]["kld"]["maximum"].get<double>());
  CHECK(SafetensorsFile::open(tiny.folder / "targets").value()->find("kld")->shape ==
        std::vector<size_t>{14, 49});
  Json alone = evaluate;
  alone["reference"] = alone["targets"] = nullptr;
  CHECK(run("evaluate", alone)["comparison"].is_null());

  write_bytes(tiny.folder / "few.u32", read_bytes(tiny.tokens()).substr(0, 40));
  run("logits", with({{"model", tiny.source()},
                      {"tokens", tiny.folder / "few.u32"},
                      {"output", tiny.folder / "logits"}}));
  const auto logits = SafetensorsFile::open(tiny.folder / "logits").value();
  CHECK(logits->find("logits")->shape == std::vector<size_t>{10, 61});

  WorkerProcess measuring({"measure", "--job", write_job(tiny, measure_json(tiny))});
  CHECK(measuring.wait_for_end() == 0);
  std::map<std::string, size_t> counts;
  for (const Json& event : measuring.events) ++counts[event["event"]];
  CHECK(counts["measured"] == 21 * 2);
  CHECK(counts["sensitivity"] == 21);
  CHECK(counts["layer"] == 0);
  CHECK(measuring.events.back()["result"]["probe_tokens"] == 3 * 48);
}

TEST_CASE("stop and resume of a process; the same bytes") {
  SlowRun slow;
  Json job = slow.job();
  job["calibration"]["sequences"] = 20;
  job["recipe"]["parameters"]["iterations"] = 30;
  const auto finish = [&](const Json& work) {
    WorkerProcess worker({"quantize", "--job", write_job(slow, work)});
    CHECK(worker.wait_for_end() == 0);
    return folder_bytes(work["run"].get<std::string>() + "/packed");
  };
  job["run"] = slow.run("straight");
  const auto expected = finish(job);
  for (const bool by_signal : {false, true}) {
    CAPTURE(by_signal);
    job["run"] = slow.run(by_signal ? "signal" : "line");
    job["resume"] = false;
    WorkerProcess worker({"quantize", "--job", write_job(slow, job)});
    REQUIRE(worker.wait_for("saved"));
    worker.say("nonsense\n{\"command\":\"dance\"}\n");
    if (by_signal)
      worker.signal(SIGINT);
    else
      worker.say("{\"command\":\"stop\"}\n");
    CHECK(worker.wait_for_end() == 3);
    const Json last = worker.events.back();
    CHECK(last["event"] == "stopped");
    CHECK(last["finished_layers"].get<int>() >= 1);
    CHECK(last["finished_layers"].get<int>() < 6);
    CHECK(last["layers"] == 6);
    job["resume"] = true;
    CHECK(finish(job) == expected);
  }
}

TEST_CASE("cancel by signals and by the end of stdin, within two seconds; the run stays resumable") {
  SlowRun slow;
  Json job = slow.job();
  const auto cancel = [&](const std::string& name, const std::function<void(WorkerProcess&)>& how) {
    CAPTURE(name);
    job["run"] = slow.run(name);
    job["resume"] = false;
    WorkerProcess worker({"quantize", "--job", write_job(slow, job)});
    REQUIRE(worker.wait_for("plan"));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const auto began = std::chrono::steady_clock::now();
    how(worker);
    CHECK(worker.wait_for_end() == 4);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds(2200));
    CHECK(worker.events.back()["event"] == "cancelled");
    job["resume"] = true;
    WorkerProcess again({"quantize", "--job", write_job(slow, job)});
    CHECK(again.wait_for("plan"));
  };
  cancel("term", [](WorkerProcess& worker) { worker.signal(SIGTERM); });
  cancel("stdin", [](WorkerProcess& worker) { worker.close_stdin(); });
  cancel("twice", [](WorkerProcess& worker) {
    worker.signal(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    worker.signal(SIGINT);
  });
  // In one long pass over the calibration, where the command itself does not ask.
  job["calibration"]["sequences"] = 1500;
  job["calibration"]["length"] = 128;
  cancel("long", [](WorkerProcess& worker) { worker.signal(SIGTERM); });
}

TEST_CASE("--no-stdin: the end of stdin says nothing") {
  TinyRun tiny;
  WorkerProcess worker({"quantize", "--job", write_job(tiny, job_json(tiny, "arb-rc")), "--no-stdin"});
  worker.close_stdin();
  CHECK(worker.wait_for_end() == 0);
}

TEST_CASE("a model file that shrinks or changes under the worker") {
  for (const bool shrinks : {true, false}) {
    CAPTURE(shrinks);
    SlowRun slow;
    WorkerProcess worker({"quantize", "--job", write_job(slow, slow.job())});
    REQUIRE(worker.wait_for("plan"));
    const std::string file = slow.source() + "/model.safetensors";
    if (shrinks)
      std::filesystem::resize_file(file, 5000);
    else
      std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now());
    CHECK(worker.wait_for_end() == 1);
    CHECK(worker.events.back()["event"] == "failed");
    CHECK(worker.events.back()["code"] == "model_changed");
    // Noticed with the layer in hand, not at the end.
    const auto saved = std::count_if(worker.events.begin(), worker.events.end(),
                                     [](const Json& event) { return event["event"] == "saved"; });
    CHECK(saved < 3);
    CHECK_FALSE(std::filesystem::exists(slow.run() + "/packed/model.safetensors.index.json"));
  }
}
