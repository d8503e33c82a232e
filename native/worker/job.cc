#include "worker/job.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::json;
constexpr const char* kCommands[] = {"inspect", "quantize", "layer",       "evaluate", "logits", "export",
                                     "measure", "generate", "device-plan", "devices",  "lab"};
// Those that may compute on a card.
constexpr const char* kDeviceCommands[] = {"quantize", "evaluate", "logits", "generate"};

// Takes fields out of an object; the first fault is kept, and what is left at the end is unknown.
class Fields {
 public:
  Fields(Json object, std::string prefix) : left_(std::move(object)), prefix_(std::move(prefix)) {
    if (!left_.is_object()) {
      fail("", "an object");
      left_ = Json::object();
    }
  }
  std::string path(const char* key) {
    const Json value = take(key);
    if (value.is_string() && value.get_ref<const std::string&>().starts_with("/")) return value;
    fail(key, "an absolute path");
    return "";
  }
  uint64_t count(const char* key, uint64_t least, uint64_t most) {
    const Json value = take(key);
    if (value.is_number_unsigned() && value >= least && value <= most) return value;
    fail(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return least;
  }
  bool flag(const char* key) {
    const Json value = take(key);
    if (value.is_boolean()) return value;
    fail(key, "true or false");
    return false;
  }
  bool optional_flag(const char* key) { return has(key) && flag(key); }
  bool is_null(const char* key) {
    const auto found = left_.find(key);
    if (found == left_.end() || !found->is_null()) return false;
    left_.erase(found);
    return true;
  }
  size_t choice(const char* key, const std::vector<std::string>& words) {
    const Json value = take(key);
    const auto found =
        std::find(words.begin(), words.end(), value.is_string() ? value.get<std::string>() : "");
    if (found != words.end()) return size_t(found - words.begin());
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " or ") + word;
    fail(key, all);
    return 0;
  }
  bool has(const char* key) const { return left_.contains(key); }
  // "cpu", "cuda" or "cuda:N".
  std::string device(const char* key) {
    const Json value = take(key);
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    const std::string number = text.starts_with("cuda:") ? text.substr(5) : "";
    const bool numbered =
        !number.empty() && number.size() <= 3 && number.find_first_not_of("0123456789") == std::string::npos;
    if (text == "cpu" || text == "cuda" || numbered) return text;
    fail(key, "cpu, cuda or cuda:N");
    return "cpu";
  }
  std::optional<std::string> optional_path(const char* key) {
    if (is_null(key)) return std::nullopt;
    return path(key);
  }
  Json object(const char* key) {
    Json value = take(key);
    if (!value.is_object()) fail(key, "an object");
    return value;
  }
  std::vector<std::string> objects(const char* key) {  // as JSON texts
    const Json value = take(key);
    std::vector<std::string> texts;
    bool fits = value.is_array() && !value.empty();
    for (const Json& one : fits ? value : Json::array()) {
      fits = fits && one.is_object();
      texts.push_back(one.dump());
    }
    if (!fits) fail(key, "a list of objects");
    return texts;
  }
  void adopt(const Fields& inner) {
    if (!error_) error_ = inner.finish().ok() ? std::nullopt : std::optional(inner.finish().error());
  }
  Status finish() const {
    if (error_) return *error_;
    if (left_.empty()) return {};
    return Error{"job_invalid",
                 "The job has a field '" + prefix_ + left_.begin().key() + "', which is not known.", ""};
  }

 private:
  Json take(const char* key) {
    const auto found = left_.find(key);
    if (found == left_.end()) return Json();
    Json value = std::move(*found);
    left_.erase(found);
    return value;
  }
  void fail(const char* key, const std::string& what) {
    if (error_) return;
    const std::string name = prefix_ + key;
    const std::string field = name.empty() ? "The job" : "The job's field '" + name + "'";
    error_ = Error{"job_invalid", field + " must be " + what + ".", ""};
  }

  Json left_;
  std::string prefix_;
  std::optional<Error> error_;
};

constexpr uint64_t kMost = uint64_t(1) << 53;  // what a JSON number holds exactly everywhere

Calibration calibration(Fields& job) {
  Fields fields(job.object("calibration"), "calibration.");
  Calibration calibration;
  calibration.tokens = fields.path("tokens");
  calibration.plan.sampling =
      Sampling(fields.choice("sampling", {std::begin(kSamplingNames), std::end(kSamplingNames)}));
  calibration.plan.sequences = fields.count("sequences", 1, 1 << 24);
  calibration.plan.length = fields.count("length", 2, 1 << 24);
  calibration.plan.seed = fields.count("seed", 0, kMost);
  job.adopt(fields);
  return calibration;
}

std::optional<Calibration> optional_calibration(Fields& job) {
  if (job.is_null("calibration")) return std::nullopt;
  return calibration(job);
}

// For a plan, which reads no tokens.
std::optional<CalibrationPlan> planned_calibration(Fields& job) {
  if (job.is_null("calibration")) return std::nullopt;
  Fields fields(job.object("calibration"), "calibration.");
  CalibrationPlan plan;
  plan.sequences = fields.count("sequences", 1, 1 << 24);
  plan.length = fields.count("length", 2, 1 << 24);
  job.adopt(fields);
  return plan;
}

// All of it may be missing.
DeviceChoice device_choice(Fields& job) {
  DeviceChoice choice;
  if (job.has("device")) choice.device = job.device("device");
  if (job.has("device_libraries")) choice.libraries = job.optional_path("device_libraries").value_or("");
  if (job.has("device_memory_limit") && !job.is_null("device_memory_limit"))
    choice.memory_limit = job.count("device_memory_limit", 1, kMost);
  if (job.has("precision"))
    choice.precision =
        kPrecisionNames[job.choice("precision", {std::begin(kPrecisionNames), std::end(kPrecisionNames)})];
  return choice;
}

WindowOptions windows(Fields& job) {
  WindowOptions windows;
  windows.protocol = Protocol(job.choice("protocol", {std::begin(kProtocolNames), std::end(kProtocolNames)}));
  windows.window = job.count("window", 2, 1 << 24);
  if (!job.is_null("bos")) windows.bos = uint32_t(job.count("bos", 0, 0xFFFFFFFF));
  return windows;
}

GgufOptions gguf_options(Fields& job) {
  constexpr std::pair<const char*, std::optional<GgufType>> kTypes[] = {
      {"f32", GgufType::F32}, {"f16", GgufType::F16},   {"bf16", GgufType::BF16},
      {"fit", std::nullopt},  {"q8_0", GgufType::Q8_0}, {"q4_0", GgufType::Q4_0}};
  std::vector<std::string> names;
  for (const auto& [name, type] : kTypes) names.push_back(name);
  return {.type = kTypes[job.choice("type", names)].second};
}

HuggingFaceOptions huggingface_options(Fields& job) {
  constexpr DType kTypes[] = {DType::F32, DType::F16, DType::BF16};
  return {.type = kTypes[job.choice("type", {"f32", "f16", "bf16"})],
          .shard_bytes = job.count("shard_bytes", 0, kMost)};
}

// What stands in a job beside model and output depends on the format.
decltype(ExportJob::options) export_options(Fields& job) {
  switch (job.choice("format", {std::begin(kExportFormats), std::end(kExportFormats)})) {
    case 1:
      return huggingface_options(job);
    case 2:
      return GptqOptions{.shard_bytes = job.count("shard_bytes", 0, kMost)};
    default:
      return gguf_options(job);
  }
}

}  // namespace

bool is_command(const std::string& command) {
  return std::find(std::begin(kCommands), std::end(kCommands), command) != std::end(kCommands);
}

Result<Job> parse_job(const std::string& command, const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error{"job_invalid", "The job is not JSON.", ""};
  Fields fields(json, "");
  fields.count("version", 1, 1);
  Job job;
  job.threads = fields.count("threads", 0, 1024);
  if (std::find(std::begin(kDeviceCommands), std::end(kDeviceCommands), command) != std::end(kDeviceCommands))
    job.device = device_choice(fields);
  // Designated initializers run in order: the fields are taken in this one.
  if (command == "inspect") {
    job.work = InspectJob{.model = fields.path("model")};
  } else if (command == "quantize") {
    job.work = QuantizeJob{.model = fields.path("model"),
                           .run = fields.path("run"),
                           .recipe = fields.object("recipe").dump(),
                           .calibration = optional_calibration(fields),
                           .resume = fields.flag("resume"),
                           .resume_elsewhere = fields.optional_flag("resume_elsewhere"),
                           .activation_limit = fields.count("activation_limit", 0, kMost)};
  } else if (command == "layer") {
    job.work = LayerJob{.input = fields.path("input"),
                        .output = fields.path("output"),
                        .recipe = fields.object("recipe").dump()};
  } else if (command == "evaluate") {
    job.work = EvaluateJob{.model = fields.path("model"),
                           .reference = fields.optional_path("reference"),
                           .tokens = fields.path("tokens"),
                           .windows = windows(fields),
                           .targets = fields.optional_path("targets")};
  } else if (command == "logits") {
    job.work = LogitsJob{
        .model = fields.path("model"), .tokens = fields.path("tokens"), .output = fields.path("output")};
  } else if (command == "export") {
    job.work = ExportJob{
        .model = fields.path("model"), .output = fields.path("output"), .options = export_options(fields)};
  } else if (command == "measure") {
    job.work = MeasureJob{.model = fields.path("model"),
                          .candidates = fields.objects("candidates"),
                          .calibration = calibration(fields),
                          .probe = fields.count("probe", 0, kMostCandidates - 1),
                          .probe_sequences = fields.count("probe_sequences", 0, 1 << 24),
                          .folder = fields.path("folder"),
                          .activation_limit = fields.count("activation_limit", 0, kMost)};
  } else if (command == "generate") {
    job.work = GenerateJob{.model = fields.path("model"), .context = fields.count("context", 0, 1 << 24)};
  } else if (command == "lab") {
    job.work = LabJob{.model = fields.path("model"),
                      .calibration = optional_calibration(fields),
                      .hessians = fields.optional_path("hessians"),
                      .folder = fields.path("folder"),
                      .activation_limit = fields.count("activation_limit", 0, kMost)};
  } else if (command == "device-plan") {
    job.work = DevicePlanJob{.model = fields.path("model"),
                             .recipe = fields.object("recipe").dump(),
                             .calibration = planned_calibration(fields),
                             .activation_memory_bytes = fields.count("activation_memory_bytes", 0, kMost),
                             .memory_bytes = fields.count("memory_bytes", 1, kMost)};
  } else {
    if (fields.has("device_libraries"))
      job.device.libraries = fields.optional_path("device_libraries").value_or("");
    job.work = DevicesJob{};
  }
  SIGNUM_TRY(fields.finish());
  return job;
}

}  // namespace signum
