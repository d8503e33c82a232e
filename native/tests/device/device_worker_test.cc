// The worker with a card as others see it: its jobs, events and ends.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "device.h"
#include "tests/recorded_run.h"
#include "tests/worker_process.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

const char* program() { return test_device().emulated() ? "signum-worker-emulated" : "signum-worker-cuda"; }

struct Job {
  const TinyRun& tiny;

  // Its last event; the exit code is checked.
  Json end(const std::string& command, const Json& job, int code = 0) const {
    write_bytes(tiny.folder / "job.json", job.dump());
    WorkerProcess worker({command, "--job", tiny.folder / "job.json"}, program());
    CHECK(worker.wait_for_end() == code);
    REQUIRE(!worker.events.empty());
    events = worker.events;
    return worker.events.back();
  }
  Json quantize(const std::string& method, const std::string& run) const {
    return {
        {"version", 1},
        {"threads", 2},
        {"model", tiny.source()},
        {"run", tiny.run(run)},
        {"recipe", Json::parse(tiny_recipes().at(method))},
        {"calibration",
         {{"tokens", tiny.tokens()}, {"sampling", "random"}, {"sequences", 6}, {"length", 48}, {"seed", 7}}},
        {"resume", false},
        {"activation_limit", 1 << 30},
        {"device", "cuda"}};
  }
  mutable std::vector<Json> events = {};
};

}  // namespace

TEST_CASE("cards are listed") {
  TinyRun tiny(1);
  const Json list = Job{tiny}.end("devices", {{"version", 1}, {"threads", 1}})["result"];
  REQUIRE(!list["devices"].empty());
  const Json& first = list["devices"][0];
  CHECK(first["id"] == "cuda:0");
  CHECK(first["memory_bytes"] == test_device().info().memory_bytes);
  CHECK(first["compute"].get<std::string>().find('.') != std::string::npos);
  CHECK(list["reason"].is_null());
  CHECK(list["built"].is_string());
  CHECK(list["cpu"]["threads"] == 1);
}

TEST_CASE("a run on the card, told as such; measured on the card as on the CPU") {
  TinyRun tiny(2);
  const Job jobs{tiny};
  const Json done = jobs.end("quantize", jobs.quantize("gptq", "run"));
  REQUIRE(done["event"] == "finished");
  CHECK(jobs.events.front()["event"] == "started");
  CHECK(jobs.events.front()["device"]["id"] == "cuda:0");
  CHECK(jobs.events.front()["device"]["name"] == test_device().info().name);
  const std::string packed = done["result"]["packed"];

  Json evaluate = {{"version", 1},
                   {"threads", 2},
                   {"model", packed},
                   {"reference", tiny.source()},
                   {"tokens", tiny.tokens()},
                   {"window", 50},
                   {"bos", Json()},
                   {"protocol", "papers"},
                   {"targets", Json()}};
  const Json cpu = jobs.end("evaluate", evaluate)["result"];
  evaluate["device"] = "cuda:0";
  const Json card = jobs.end("evaluate", evaluate)["result"];
  CHECK(card["model"]["perplexity"].get<double>() ==
        doctest::Approx(cpu["model"]["perplexity"].get<double>()).epsilon(1e-4));
  CHECK(card["comparison"]["kld"]["mean"]["value"].get<double>() ==
        doctest::Approx(cpu["comparison"]["kld"]["mean"]["value"].get<double>()).epsilon(1e-3));
}

TEST_CASE("what there is not is said: a card, memory for a run") {
  TinyRun tiny(1);
  const Job jobs{tiny};
  Json job = jobs.quantize("gptq", "run");
  job["device"] = "cuda:77";
  const Json missing = jobs.end("quantize", job, 1);
  CHECK(missing["code"] == "device_missing");
  CHECK(missing["message"].get<std::string>().find("cuda:77") != std::string::npos);

  job["device"] = "cuda";
  job["device_memory_limit"] = 100000;
  const Json small = jobs.end("quantize", job, 1);
  CHECK(small["code"] == "device_memory_short");
  CHECK(small["message"].get<std::string>().find("may be used") != std::string::npos);
  job["device_memory_limit"] = Json();
  CHECK(jobs.end("quantize", job)["event"] == "finished");
}

TEST_CASE("a text is written on the card as on the CPU") {
  TinyRun tiny(2);
  const auto tokens = [&](const char* device) {
    const Json job = {
        {"version", 1}, {"threads", 2}, {"model", tiny.source()}, {"context", 64}, {"device", device}};
    write_bytes(tiny.folder / "job.json", job.dump());
    WorkerProcess worker({"generate", "--job", tiny.folder / "job.json"}, program());
    REQUIRE(worker.wait_for("ready"));
    worker.say(
        R"({"command":"generate","id":1,"tokens":[1,5,9],"max_tokens":8,"temperature":0,"top_k":0,"top_p":1,"seed":0,"stop_tokens":[]})"
        "\n");
    REQUIRE(worker.wait_for("generated"));
    std::vector<int> ids;
    for (const Json& event : worker.events)
      if (event["event"] == "token") ids.push_back(event["token"]);
    CHECK(worker.events.front()["device"].is_null() == (std::string(device) == "cpu"));
    worker.say("{\"command\":\"stop\"}\n");
    CHECK(worker.wait_for_end() == 0);
    return ids;
  };
  const auto expected = tokens("cpu");
  CHECK(expected.size() == 8);
  CHECK(tokens("cuda") == expected);
}

TEST_CASE("a run goes on only where it began") {
  TinyRun tiny(2);
  const Job jobs{tiny};
  Json job = jobs.quantize("rtn", "run");
  {
    write_bytes(tiny.folder / "job.json", job.dump());
    WorkerProcess worker({"quantize", "--job", tiny.folder / "job.json"}, program());
    REQUIRE(worker.wait_for("plan"));
    worker.say("{\"command\":\"stop\"}\n");
    const int code = worker.wait_for_end();
    CHECK((code == 3 || code == 0));
    if (code == 0) return;  // faster than the word
  }
  job["resume"] = true;
  Json elsewhere = job;
  elsewhere["device"] = "cpu";
  CHECK(jobs.end("quantize", elsewhere, 1)["code"] == "resume_mismatch");
  CHECK(jobs.end("quantize", job)["event"] == "finished");
}
