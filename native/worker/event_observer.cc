#include "worker/event_observer.h"

#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

Json linear_json(const LinearReport& report) {
  return {{"name", report.name},
          {"method", report.method},
          {"layer", report.layer},
          {"kind", report.kind},
          {"rows", report.rows},
          {"columns", report.columns},
          {"nominal_bits", report.nominal_bits},
          {"linear_bits", report.linear_bits},
          {"bytes", report.bytes},
          {"relative_weight_error", report.weight_error},
          {"relative_output_error", or_null(report.output_error)},
          {"salient_columns", or_null(report.salient_columns)},
          {"plane1_sparsity", or_null(report.plane1_sparsity)},
          {"plane2_sparsity", or_null(report.plane2_sparsity)},
          {"seconds", report.seconds}};
}

void EventObserver::plan(const RunPlan& plan) {
  events_.emit("plan", {{"layers", plan.layers},
                        {"linears", plan.linears},
                        {"weights", plan.weights},
                        {"resumed_layers", plan.resumed_layers}});
}

void EventObserver::progress(const ProgressReport& report) {
  events_.emit_progress({{"phase", kPhaseNames[size_t(report.phase)]},
                         {"done", report.done},
                         {"total", report.total},
                         {"unit", report.unit},
                         {"eta", or_null(report.eta)}});
}

void EventObserver::linear(const LinearReport& report) { events_.emit("layer", linear_json(report)); }

void EventObserver::measured(const Measurement& one) {
  events_.emit("measured", {{"name", one.linear},
                            {"layer", one.layer},
                            {"candidate", one.candidate},
                            {"rows", one.rows},
                            {"columns", one.columns},
                            {"bytes", one.bytes},
                            {"order_bytes", one.order_bytes},
                            {"nominal_bits", one.nominal_bits},
                            {"relative_weight_error", one.weight_error},
                            {"relative_output_error", one.output_error},
                            {"output_power", one.output_power},
                            {"salient_columns", or_null(one.salient_columns)},
                            {"seconds", one.seconds}});
}

void EventObserver::sensitivity(const Sensitivity& one) {
  events_.emit("sensitivity", {{"name", one.linear},
                               {"relative_output_error", one.output_error},
                               {"kld", one.kld},
                               {"standard_error", or_null(one.standard_error)}});
}

void EventObserver::saved(size_t layer, const std::string& file, uint64_t bytes) {
  events_.emit("saved", {{"layer", layer}, {"file", file}, {"bytes", bytes}});
}

void EventObserver::warning(const std::string& code, const std::string& message) {
  events_.emit("warning", {{"code", code}, {"message", message}});
}

}  // namespace signum
