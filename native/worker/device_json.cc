#include "worker/device_json.h"

#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

}  // namespace

Json device_json(const DeviceInfo& info) {
  return {{"id", info.id}, {"name", info.name}, {"memory_bytes", info.memory_bytes}};
}

Json device_list_json(const DeviceList& list) {
  Json json = {{"devices", Json::array()},
               {"driver", or_null(list.driver)},
               {"built", or_null(list.built)},
               {"reason", or_null(list.reason)},
               {"libraries", Json::array()}};
  for (const DeviceInfo& info : list.devices)
    json["devices"].push_back({{"id", info.id},
                               {"name", info.name},
                               {"uuid", info.uuid},
                               {"memory_bytes", info.memory_bytes},
                               {"free_bytes", info.free_bytes},
                               {"compute", std::to_string(info.major) + "." + std::to_string(info.minor)}});
  for (const DeviceLibrary& library : list.libraries)
    json["libraries"].push_back(
        {{"name", library.name}, {"path", or_null(library.path)}, {"version", or_null(library.version)}});
  return json;
}

Json memory_plan_json(const MemoryPlan& plan, uint64_t host_bytes) {
  Json json = {{"needed_bytes", plan.needed_bytes},
               {"parts", Json::array()},
               {"activations", kActivationPlaceNames[size_t(plan.activations)]},
               {"fits", plan.fits},
               {"advice", or_null(plan.advice)},
               {"host_bytes", host_bytes}};
  for (const MemoryPart& part : plan.parts)
    json["parts"].push_back({{"name", part.name}, {"bytes", part.bytes}});
  return json;
}

}  // namespace signum
