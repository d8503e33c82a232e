// A job file, parsed and checked (docs/PROTOCOL.md, "Jobs").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "base/error.h"
#include "device/open.h"
#include "evaluate/windows.h"
#include "export/export_gguf.h"
#include "export/export_gptq.h"
#include "export/export_huggingface.h"
#include "lab/lab.h"
#include "measure/measure.h"
#include "run/layer_job.h"
#include "run/quantize_run.h"

namespace signum {

struct InspectJob {
  std::string model;
};
struct EvaluateJob {
  std::string model;
  std::optional<std::string> reference;
  std::string tokens;
  WindowOptions windows;
  std::optional<std::string> targets;  // file for what was measured at every target
};
struct LogitsJob {
  std::string model;
  std::string tokens;
  std::string output;
};
// By the place of its options in the variant. A format more: its name here, its options below, what reads
// them in job.cc, an overload of `write` in commands.cc.
inline constexpr const char* kExportFormats[] = {"gguf", "huggingface", "gptq"};
struct ExportJob {
  std::string model;
  std::string output;
  std::variant<GgufOptions, HuggingFaceOptions, GptqOptions> options;
};
struct DevicesJob {};
struct DevicePlanJob {
  std::string model;
  std::string recipe;  // JSON text
  std::optional<CalibrationPlan> calibration;
  uint64_t activation_memory_bytes = 0;  // of the host, for activations
  uint64_t memory_bytes = 0;             // of the card
};
struct GenerateJob {
  std::string model;
  size_t context = 0;  // tokens that the cache holds; 0: GenerationSession chooses
};

struct Job {
  size_t threads = 0;  // 0 = one per core
  DeviceChoice device;
  std::variant<InspectJob, QuantizeJob, LayerJob, EvaluateJob, LogitsJob, ExportJob, MeasureJob, DevicesJob,
               DevicePlanJob, GenerateJob, LabJob>
      work;
};

bool is_command(const std::string& command);
// Error job_invalid names the field. What a recipe holds is checked where it is used.
Result<Job> parse_job(const std::string& command, const std::string& text);

}  // namespace signum
