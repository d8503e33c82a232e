// What an evaluation found, as the worker says it (docs/PROTOCOL.md).
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "evaluate/evaluate.h"

namespace signum {

// `finished.result` of `evaluate`.
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation, Protocol protocol);
// The fields of its `metric` events: perplexity, and beside a reference kld and same_top.
std::vector<nlohmann::ordered_json> metrics_json(const Evaluation& evaluation, Protocol protocol);

}  // namespace signum
