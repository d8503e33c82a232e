#include "run/state.h"

#include <nlohmann/json.hpp>

#include "file/json_file.h"

namespace signum {
namespace {

using Json = nlohmann::json;
constexpr int kVersion = 1;

Json to_json(const LinearReport& report) {
  Json json = {{"name", report.name},
               {"method", report.method},
               {"layer", report.layer},
               {"kind", report.kind},
               {"rows", report.rows},
               {"columns", report.columns},
               {"nominal_bits", report.nominal_bits},
               {"linear_bits", report.linear_bits},
               {"bytes", report.bytes},
               {"relative_weight_error", report.weight_error},
               {"relative_output_error", nullptr},
               {"salient_columns", nullptr},
               {"plane1_sparsity", nullptr},
               {"plane2_sparsity", nullptr},
               {"seconds", report.seconds}};
  if (report.output_error) json["relative_output_error"] = *report.output_error;
  if (report.salient_columns) json["salient_columns"] = *report.salient_columns;
  if (report.plane1_sparsity) json["plane1_sparsity"] = *report.plane1_sparsity;
  if (report.plane2_sparsity) json["plane2_sparsity"] = *report.plane2_sparsity;
  return json;
}

// Numbers that were not finite come back as 0: JSON holds them as null.
LinearReport report_from(const Json& json) {
  const auto number = [&](const char* key) {
    return json.at(key).is_null() ? 0.0 : json.at(key).get<double>();
  };
  LinearReport report{.name = json.at("name"),
                      .method = json.at("method"),
                      .layer = json.at("layer"),
                      .kind = json.at("kind"),
                      .rows = json.at("rows"),
                      .columns = json.at("columns"),
                      .nominal_bits = number("nominal_bits"),
                      .linear_bits = number("linear_bits"),
                      .bytes = json.at("bytes"),
                      .weight_error = number("relative_weight_error"),
                      .output_error = {},
                      .salient_columns = {},
                      .plane1_sparsity = {},
                      .plane2_sparsity = {},
                      .seconds = number("seconds")};
  if (!json.at("relative_output_error").is_null()) report.output_error = number("relative_output_error");
  if (!json.at("salient_columns").is_null())
    report.salient_columns = json.at("salient_columns").get<size_t>();
  // Missing in runs from before it was counted.
  const auto share = [&](const char* key) {
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? std::nullopt : std::optional(found->get<double>());
  };
  report.plane1_sparsity = share("plane1_sparsity");
  report.plane2_sparsity = share("plane2_sparsity");
  return report;
}

}  // namespace

bool RunState::move_to(const std::string& device) {
  if (device == fingerprint.device) return false;
  const size_t before = earlier.empty() ? 0 : earlier.back().finished_layers;
  if (finished_layers > before)
    earlier.push_back({finished_layers, fingerprint.device});
  else if (!earlier.empty() && finished_layers == before && earlier.back().device == device)
    earlier.pop_back();  // back again, and nothing was made in between
  fingerprint.device = device;
  return true;
}

std::string RunState::made_where() const {
  const bool all = !earlier.empty() && earlier.back().finished_layers == layers;
  if (earlier.size() < (all ? 2 : 1)) return "";
  std::string text = "Of its " + std::to_string(layers) + " layers ";
  size_t before = 0;
  for (const auto& [finished, device] : earlier) {
    const size_t count = finished - before;
    text += (before ? "; then " : "") + std::to_string(count);
    if (!before) text += count == 1 ? " was made" : " were made";
    text += " on " + device;
    before = finished;
  }
  if (!all) text += "; then the others on " + fingerprint.device;
  return text + ". Devices round differently: made on one alone, its bytes would be others.";
}

Result<RunState> read_state(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!std::filesystem::exists(path))
    return Error{"nothing_to_resume", folder + " holds no run to go on with.", ""};
  SIGNUM_TAKE(const std::string text, read_text_file(path));
  try {
    const Json json = Json::parse(text);
    if (json.at("version") != kVersion)
      return Error{"nothing_to_resume", path + " is of another version of this program.", ""};
    const Json& print = json.at("fingerprint");
    RunState state{.fingerprint = {.source = print.at("source").dump(),
                                   .recipe = print.at("recipe").dump(),
                                   .calibration = print.at("calibration").dump(),
                                   .program = print.at("program"),
                                   .blas = print.at("blas"),
                                   .simd = print.at("simd"),
                                   .device = print.value("device", "cpu")},  // before there were others
                   .earlier = {},
                   .layers = json.at("layers"),
                   .finished_layers = json.at("finished_layers"),
                   .complete = json.at("complete"),
                   .linears = {}};
    for (const Json& report : json.at("linears")) state.linears.push_back(report_from(report));
    for (const Json& one : json.value("earlier_devices", Json::array()))
      state.earlier.push_back({one.at("finished_layers"), one.at("device")});
    if (state.finished_layers > state.layers) throw std::out_of_range("finished_layers above layers");
    return state;
  } catch (const std::exception& reason) {
    return Error{"nothing_to_resume", path + " is not the state of a run.", reason.what()};
  }
}

Status write_state(const std::string& path, const RunState& state) {
  const Fingerprint& print = state.fingerprint;
  Json json = {{"version", kVersion},
               {"fingerprint",
                {{"source", Json::parse(print.source)},
                 {"recipe", Json::parse(print.recipe)},
                 {"calibration", Json::parse(print.calibration)},
                 {"program", print.program},
                 {"blas", print.blas},
                 {"simd", print.simd},
                 {"device", print.device}}},
               {"layers", state.layers},
               {"finished_layers", state.finished_layers},
               {"complete", state.complete},
               {"linears", Json::array()}};
  for (const auto& [finished, device] : state.earlier)
    json["earlier_devices"].push_back({{"finished_layers", finished}, {"device", device}});
  for (const LinearReport& report : state.linears) json["linears"].push_back(to_json(report));
  return write_text_file(path, json.dump(1) + "\n");
}

}  // namespace signum
