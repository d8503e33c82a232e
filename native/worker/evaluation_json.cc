#include "worker/evaluation_json.h"

#include <charconv>
#include <string>

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

Json error_of(const std::optional<double>& error) { return error ? Json(*error) : Json(); }

Json estimate_json(const Estimate& estimate) {
  return {{"value", estimate.value}, {"standard_error", error_of(estimate.standard_error)}};
}

// Percentiles by their percent: "0.1", "50", "99.9".
Json distribution_json(const Distribution& distribution) {
  Json percentiles = Json::object();
  for (size_t i = 0; i < kPercents.size(); ++i) {
    char name[8];
    const auto end = std::to_chars(name, name + sizeof name, kPercents[i]).ptr;
    percentiles[std::string(name, end)] = distribution.percentiles[i];
  }
  return {{"mean", estimate_json(distribution.mean)},
          {"minimum", distribution.minimum},
          {"maximum", distribution.maximum},
          {"percentiles", percentiles}};
}

Json model_json(const Perplexity& model, double seconds) {
  return {{"perplexity", model.perplexity},
          {"standard_error", error_of(model.standard_error)},
          {"seconds", seconds},
          {"window_losses", model.window_losses}};
}

}  // namespace

Json evaluation_json(const Evaluation& evaluation, Protocol protocol) {
  const EvaluationWindows& windows = evaluation.windows;
  Json result = {{"protocol", kProtocolNames[size_t(protocol)]},
                 {"tokens", windows.scored()},
                 {"windows", windows.count},
                 {"window", windows.window},
                 {"model", model_json(evaluation.model, evaluation.seconds)},
                 {"reference", nullptr},
                 {"comparison", nullptr}};
  if (!evaluation.reference) return result;
  const Comparison& comparison = evaluation.reference->comparison;
  result["reference"] = model_json(evaluation.reference->model, evaluation.reference->seconds);
  result["comparison"] = {{"kld", distribution_json(comparison.kld)},
                          {"delta_p", distribution_json(comparison.delta_p)},
                          {"delta_p_rms", estimate_json(comparison.delta_p_rms)},
                          {"same_top", estimate_json(comparison.same_top)},
                          {"log_ratio", estimate_json(comparison.log_ratio)},
                          {"correlation", comparison.correlation}};
  return result;
}

std::vector<Json> metrics_json(const Evaluation& evaluation, Protocol protocol) {
  const EvaluationWindows& windows = evaluation.windows;
  std::vector<Json> metrics;
  const auto add = [&](const char* name, double value, const std::optional<double>& error) {
    metrics.push_back({{"name", name},
                       {"protocol", kProtocolNames[size_t(protocol)]},
                       {"value", value},
                       {"standard_error", error_of(error)},
                       {"tokens", windows.scored()},
                       {"windows", windows.count},
                       {"window", windows.window}});
  };
  add("perplexity", evaluation.model.perplexity, evaluation.model.standard_error);
  if (evaluation.reference) {
    const Comparison& comparison = evaluation.reference->comparison;
    add("kld", comparison.kld.mean.value, comparison.kld.mean.standard_error);
    add("same_top", comparison.same_top.value, comparison.same_top.standard_error);
  }
  return metrics;
}

}  // namespace signum
