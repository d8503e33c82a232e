#include "worker/requests.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMost = uint64_t(1) << 53;  // what a JSON number holds exactly everywhere
constexpr size_t kLongestHalt = 1024;          // bytes
constexpr const char* kKeys[] = {"command", "id",    "tokens", "max_tokens", "temperature",
                                 "top_k",   "top_p", "seed",   "stop_tokens"};

Error not_of_this_form(const std::string& what) { return {"job_invalid", what, ""}; }

bool is_count(const Json& value, uint64_t most = kMost) {
  return value.is_number_unsigned() && value.get<uint64_t>() <= most;
}

bool is_ids(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& id) {
           return is_count(id, std::numeric_limits<uint32_t>::max());
         });
}

Result<GenerationRequest> request_of(const Json& line) {
  for (const char* key : kKeys)
    if (!line.contains(key)) return not_of_this_form(std::string("The line has no '") + key + "'.");
  for (const auto& [key, value] : line.items())
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys))
      return not_of_this_form("The line has a '" + key + "', which is not known.");
  if (!is_count(line["id"])) return not_of_this_form("The line's 'id' must be a whole number from 0 on.");
  for (const char* key : {"tokens", "stop_tokens"})
    if (!is_ids(line[key])) return Error{"tokens_invalid", std::string(key) + " must be a list of ids.", ""};
  for (const char* key : {"max_tokens", "top_k", "seed"})
    if (!is_count(line[key]))
      return Error{"sampling_invalid", std::string(key) + " must be a whole number from 0 to 2^53.", ""};
  for (const char* key : {"temperature", "top_p"})
    if (!line[key].is_number()) return Error{"sampling_invalid", std::string(key) + " must be a number.", ""};
  return GenerationRequest{.tokens = line["tokens"],
                           .max_tokens = line["max_tokens"],
                           .sampling = {.temperature = line["temperature"],
                                        .top_k = line["top_k"],
                                        .top_p = line["top_p"],
                                        .seed = line["seed"]},
                           .stop_tokens = line["stop_tokens"]};
}

}  // namespace

RequestLine read_request(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  const Json command = json.is_object() ? json.value("command", Json()) : Json();
  if (command != "generate")
    return {.id = {}, .request = not_of_this_form("The line is not JSON with a known 'command'.")};
  const Json id = json.value("id", Json());
  return {.id = is_count(id) ? std::optional(id.get<uint64_t>()) : std::nullopt, .request = request_of(json)};
}

void RequestQueue::take(const std::string& line) {
  if (line.empty()) return;
  const Json json = Json::parse(line.substr(0, kLongestHalt), nullptr, false);
  if (json.is_object() && json.value("command", Json()) == "halt") return halt_all();
  RequestLine read = read_request(line);
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    read.number = received_++;
    lines_.push_back(std::move(read));
  }
  changed_.notify_all();
}

void RequestQueue::halt_all() {
  std::lock_guard lock(mutex_);
  halted_before_ = received_;
}

void RequestQueue::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    halted_before_ = received_;
  }
  changed_.notify_all();
}

std::optional<RequestLine> RequestQueue::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || !lines_.empty(); });
  if (lines_.empty()) return std::nullopt;
  RequestLine line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

}  // namespace signum
