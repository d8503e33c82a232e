// finished.result of an export (docs/PROTOCOL.md).
#pragma once

#include <nlohmann/json.hpp>

#include "export/export_outcome.h"

namespace signum {

// format: as the job names it.
nlohmann::ordered_json export_json(const std::string& format, const ExportOutcome& outcome);

}  // namespace signum
