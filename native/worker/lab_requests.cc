#include "worker/lab_requests.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kMost = uint64_t(1) << 53;  // what a JSON number holds exactly everywhere

Error not_of_this_form(const std::string& what) { return {"job_invalid", what, ""}; }

std::optional<uint64_t> id_of(const Json& line) {
  const Json id = line.is_object() ? line.value("id", Json()) : Json();
  if (!id.is_number_unsigned() || id.get<uint64_t>() > kMost) return std::nullopt;
  return id.get<uint64_t>();
}

// The line has these fields and no others.
Status check_fields(const Json& line, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (!line.contains(name)) return not_of_this_form(std::string("The line has no '") + name + "'.");
  for (const auto& [key, value] : line.items())
    if (std::ranges::find(names, key) == names.end())
      return not_of_this_form("The line has a '" + key + "', which is not known.");
  if (!id_of(line)) return not_of_this_form("The line's 'id' must be a whole number from 0 on.");
  return {};
}

Result<LabRequest> request_of(const Json& line) {
  const Json command = line.is_object() ? line.value("command", Json()) : Json();
  if (command == "put") {
    SIGNUM_TRY(check_fields(line, {"command", "id", "linear"}));
    if (!line["linear"].is_string()) return not_of_this_form("The line's 'linear' must be a name.");
    return LabRequest(PutLinear{line["linear"]});
  }
  if (command == "try") {
    SIGNUM_TRY(check_fields(line, {"command", "id", "recipe", "output"}));
    const Json& output = line["output"];
    if (!output.is_string() || !output.get_ref<const std::string&>().starts_with("/"))
      return not_of_this_form("The line's 'output' must be an absolute path.");
    if (!line["recipe"].is_object()) return not_of_this_form("The line's 'recipe' must be an object.");
    return LabRequest(TryRecipe{line["recipe"].dump(), output});
  }
  return not_of_this_form("The line is not JSON with a known 'command'.");
}

}  // namespace

LabLine read_lab_line(const std::string& text) {
  const Json line = Json::parse(text, nullptr, false);
  return {.id = id_of(line), .request = request_of(line)};
}

void LabQueue::take(const std::string& text) {
  if (text.empty()) return;
  const Json json = Json::parse(text, nullptr, false);
  const bool halt = json.is_object() && json.value("command", Json()) == "halt";
  LabLine line = read_lab_line(text);
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (halt) {
      if (!line.id) return;
      const bool waits = std::ranges::any_of(lines_, [&](const LabLine& one) { return one.id == line.id; });
      if (waits) halts_.insert(*line.id);
      if (current_ == line.id) halted_ = true;
      return;
    }
    lines_.push_back(std::move(line));
  }
  changed_.notify_all();
}

void LabQueue::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    halted_ = true;
  }
  changed_.notify_all();
}

std::optional<LabLine> LabQueue::next() {
  std::unique_lock lock(mutex_);
  current_.reset();
  changed_.wait(lock, [&] { return stopped_ || !lines_.empty(); });
  if (lines_.empty()) return std::nullopt;
  LabLine line = std::move(lines_.front());
  lines_.pop_front();
  current_ = line.id;
  halted_ = stopped_ || (line.id && halts_.erase(*line.id) > 0);
  return line;
}

}  // namespace signum
