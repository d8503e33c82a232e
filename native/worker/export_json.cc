#include "worker/export_json.h"

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

Json error_json(const RoundingError& error) {
  return {{"values", error.values()},
          {"exact_values", error.exact_values()},
          {"relative_error", error.relative()},
          {"largest_error", error.largest()}};
}

template <class T>
Json with(Json object, const T& more) {
  object.update(more);
  return object;
}

}  // namespace

Json export_json(const std::string& format, const ExportOutcome& outcome) {
  Json files = Json::array(), types = Json::array(), chosen = Json::array();
  for (const ExportedFile& file : outcome.files)
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  for (const ExportedType& type : outcome.types)
    types.push_back(with({{"type", type.type}, {"tensors", type.tensors}}, error_json(type.error)));
  for (const ChosenType& one : outcome.chosen)
    chosen.push_back({{"tensor", one.tensor},
                      {"type", one.type},
                      {"reason", one.reason},
                      {"relative_error", one.error.relative()}});
  return {{"format", format},
          {"files", files},
          {"bytes", outcome.bytes()},
          {"tensors", outcome.tensors()},
          {"architecture", outcome.architecture ? Json(*outcome.architecture) : Json()},
          {"verification", with({{"tensors", outcome.tensors()}}, error_json(outcome.error()))},
          {"types", types},
          {"chosen", chosen}};
}

}  // namespace signum
