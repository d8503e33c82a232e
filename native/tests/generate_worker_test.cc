// The command `generate` as others see it: a session on stdin and stdout.
#include <doctest/doctest.h>

#include <filesystem>

#include "generate/session.h"
#include "tests/opened_model.h"
#include "tests/recorded_run.h"
#include "tests/worker_process.h"

using namespace signum;
using Json = nlohmann::json;

namespace {

// A model that takes a while for 4,000 tokens.
struct Chat {
  TemporaryFolder folder;
  TinyModel model{.hidden = 256,
                  .intermediate = 512,
                  .layers = 6,
                  .heads = 4,
                  .kv_heads = 2,
                  .head_dim = 64,
                  .vocabulary = 61,
                  .context = 5000,
                  .tensors = {}};

  Chat() {
    randomize(model, 12);
    write_model(model, path(), DType::F16);
  }
  std::string path() const { return folder / "model"; }
  std::vector<std::string> arguments(size_t context = 0) const {
    const Json job = {{"version", 1}, {"threads", 2}, {"model", path()}, {"context", context}};
    write_bytes(folder / "job.json", job.dump());
    return {"generate", "--job", folder / "job.json"};
  }
};

Json request(int id, size_t max_tokens = 5) {
  return {{"command", "generate"},
          {"id", id},
          {"tokens", {3, 1, 4, 1, 5}},
          {"max_tokens", max_tokens},
          {"temperature", 0.9},
          {"top_k", 40},
          {"top_p", 0.95},
          {"seed", 7},
          {"stop_tokens", Json::array()}};
}
std::string line(const Json& json) { return json.dump() + "\n"; }
const std::string kHalt = "{\"command\":\"halt\"}\n", kStop = "{\"command\":\"stop\"}\n";

std::vector<uint32_t> tokens_of(const WorkerProcess& worker, int id) {
  std::vector<uint32_t> tokens;
  for (const Json& event : worker.events)
    if (event["event"] == "token" && event["id"] == id) {
      CHECK(event["index"] == tokens.size());
      tokens.push_back(event["token"]);
    }
  return tokens;
}

// What the library answers to the same request.
std::vector<uint32_t> expected(const Chat& chat, const Json& line) {
  ThreadPool pool(1);
  auto session = GenerationSession::load(opened(chat.path()), 0, pool).value();
  std::vector<uint32_t> tokens;
  const auto done = session.generate(
      {.tokens = line["tokens"],
       .max_tokens = line["max_tokens"],
       .sampling = {line["temperature"], line["top_k"], line["top_p"], line["seed"]},
       .stop_tokens = line["stop_tokens"]},
      {.token = [&](size_t, uint32_t token) { tokens.push_back(token); }, .halted = [] { return false; }},
      pool);
  REQUIRE(done.ok());
  return tokens;
}

}  // namespace

TEST_CASE("a session: ready, answers token by token, what was read is not read again, stopped") {
  Chat chat;
  WorkerProcess worker(chat.arguments(100));
  REQUIRE(worker.wait_for("ready"));
  const Json ready = worker.events.back();
  CHECK(ready["architecture"] == "LlamaForCausalLM");
  CHECK(ready["vocabulary"] == 61);
  CHECK(ready["context"] == 100);
  CHECK(ready["cache_bytes"] == 2 * 6 * 100 * 128 * 4);
  CHECK(ready["seconds"].get<double>() >= 0);
  CHECK(ready["resident_bytes"].get<uint64_t>() > 0);

  worker.say(line(request(1)));
  REQUIRE(worker.wait_for("generated"));
  const Json first = worker.events.back();
  CHECK(first["id"] == 1);
  CHECK(first["tokens"] == 5);
  CHECK(first["reason"] == "length");
  CHECK(first["prompt_tokens"] == 5);
  CHECK(first["reused_tokens"] == 0);
  CHECK(first["first_token_seconds"].get<double>() > 0);
  CHECK(first["seconds"].get<double>() > 0);
  CHECK(tokens_of(worker, 1) == expected(chat, request(1)));

  Json next = request(2, 1000);
  for (const uint32_t token : tokens_of(worker, 1)) next["tokens"].push_back(token);
  next["stop_tokens"] = {tokens_of(worker, 1).back()};
  worker.say(line(next));
  REQUIRE(worker.wait_for("generated"));
  CHECK(worker.events.back()["reused_tokens"] == 9);
  const std::string reason = worker.events.back()["reason"];
  CHECK((reason == "stop_token" || reason == "context"));
  worker.say(kStop);
  CHECK(worker.wait_for_end() == 0);
  const Json last = worker.events.back();
  CHECK(last["event"] == "finished");
  CHECK(last["result"] == Json{{"requests", 2}, {"tokens", 5 + tokens_of(worker, 2).size()}});
}

TEST_CASE("what cannot be answered is refused by name, and the session goes on") {
  Chat chat;
  WorkerProcess worker(chat.arguments(20));
  const auto refused = [&](const std::string& text) {
    worker.say(text + "\n");
    REQUIRE(worker.wait_for("refused"));
    CHECK_FALSE(worker.events.back()["message"].get<std::string>().empty());
    return worker.events.back();
  };
  const auto code = [&](const char* key, const Json& value) {
    Json changed = request(3);
    changed[key] = value;
    const Json event = refused(changed.dump());
    CHECK(event["id"] == 3);
    return event["code"];
  };
  CHECK(code("tokens", {61}) == "tokens_invalid");
  CHECK(code("tokens", Json::array()) == "tokens_invalid");
  CHECK(code("tokens", {1.5}) == "tokens_invalid");
  CHECK(code("tokens", {-1}) == "tokens_invalid");
  CHECK(code("tokens", "text") == "tokens_invalid");
  CHECK(code("tokens", std::vector<int>(21, 1)) == "context_too_long");
  CHECK(code("stop_tokens", {70}) == "tokens_invalid");
  for (const char* key : {"max_tokens", "temperature", "top_k", "top_p", "seed"}) {
    CHECK(code(key, -1) == "sampling_invalid");
    CHECK(code(key, "1") == "sampling_invalid");
    CHECK(code(key, nullptr) == "sampling_invalid");
  }
  CHECK(code("max_tokens", 0) == "sampling_invalid");
  CHECK(code("max_tokens", 1.5) == "sampling_invalid");
  CHECK(code("temperature", 101) == "sampling_invalid");
  CHECK(code("top_p", 0) == "sampling_invalid");
  CHECK(code("seed", uint64_t(1) << 60) == "sampling_invalid");
  CHECK(code("other", 1) == "job_invalid");
  Json without = request(3);
  without.erase("seed");
  CHECK(refused(without.dump())["code"] == "job_invalid");
  CHECK(refused(without.dump())["id"] == 3);
  for (const std::string text :
       {"nonsense", "[1]", "{\"command\":\"dance\"}", "{\"command\":7}", "{\"id\":3}"}) {
    const Json event = refused(text);
    CHECK(event["code"] == "job_invalid");
    CHECK(event["id"].is_null());
  }
  CHECK(refused(std::string(size_t(5) << 20, ' ') + request(4).dump())["code"] == "job_invalid");
  worker.say(std::string(size_t(1) << 20, ' ') + line(request(5)));  // long, but not too long
  REQUIRE(worker.wait_for("generated"));
  CHECK(tokens_of(worker, 5) == expected(chat, request(5)));
  worker.say(kStop);
  CHECK(worker.wait_for_end() == 0);
  CHECK(worker.events.back()["result"]["requests"] == 1);
}

TEST_CASE("halt ends what came before it, and nothing that comes after") {
  Chat chat;
  WorkerProcess worker(chat.arguments());
  worker.say(kHalt + line(request(1, 4000)) + line(request(2, 4000)));
  REQUIRE(worker.wait_for("ready"));
  CHECK(worker.events.back()["context"] == 4096);
  REQUIRE(worker.wait_for("token"));
  worker.say(kHalt + line(request(3)));
  for (const int id : {1, 2, 3}) {
    REQUIRE(worker.wait_for("generated"));
    const Json event = worker.events.back();
    CHECK(event["id"] == id);
    CHECK(event["tokens"] == tokens_of(worker, id).size());
    CHECK(event["reason"] == (id == 3 ? "length" : "halted"));
    CHECK(event["first_token_seconds"].is_null() == (id == 2));
  }
  CHECK(tokens_of(worker, 1).size() < 4000);
  CHECK(tokens_of(worker, 2).empty());
  CHECK(tokens_of(worker, 3) == expected(chat, request(3)));
}

TEST_CASE("stop and SIGINT end the answer under way and the session; SIGTERM and the end of stdin cancel") {
  Chat chat;
  const auto end = [&](const std::function<void(WorkerProcess&)>& how) {
    auto worker = std::make_unique<WorkerProcess>(chat.arguments());
    worker->say(line(request(1, 4000)));
    REQUIRE(worker->wait_for("token"));
    how(*worker);
    return worker;
  };
  for (const bool by_signal : {false, true}) {
    const auto worker = end([&](WorkerProcess& one) { by_signal ? one.signal(SIGINT) : one.say(kStop); });
    CHECK(worker->wait_for_end() == 0);
    const Json& answer = worker->events[worker->events.size() - 2];
    CHECK(answer["event"] == "generated");
    CHECK(answer["reason"] == "halted");
    CHECK(worker->events.back()["event"] == "finished");
    CHECK(worker->events.back()["result"]["tokens"] == tokens_of(*worker, 1).size());
  }
  for (const bool by_signal : {false, true}) {
    const auto worker = end([&](WorkerProcess& one) { by_signal ? one.signal(SIGTERM) : one.close_stdin(); });
    CHECK(worker->wait_for_end() == 4);
    CHECK(worker->events.back()["event"] == "cancelled");
  }
}

TEST_CASE("a session that waits lives: heartbeats; a model that changed meanwhile ends it") {
  Chat chat;
  WorkerProcess worker(chat.arguments());
  REQUIRE(worker.wait_for("ready"));
  REQUIRE(worker.wait_for("heartbeat"));
  std::filesystem::last_write_time(chat.path() + "/model.safetensors",
                                   std::filesystem::file_time_type::clock::now());
  worker.say(line(request(1)));
  CHECK(worker.wait_for_end() == 1);
  CHECK(worker.events.back()["code"] == "model_changed");
}

TEST_CASE("a cache longer than the model's positions, and a model that is none, fail at once") {
  Chat chat;
  WorkerProcess longer(chat.arguments(5001));
  CHECK(longer.wait_for_end() == 1);
  CHECK(longer.events.back()["code"] == "context_too_long");
  std::filesystem::remove(chat.path() + "/config.json");
  WorkerProcess none(chat.arguments());
  CHECK(none.wait_for_end() == 1);
  CHECK(none.events.back()["code"] == "not_a_model_folder");
}
