#include "worker/commands.h"

#include <nlohmann/json.hpp>

#include "base/pool.h"
#include "evaluate/evaluate.h"
#include "evaluate/logits.h"
#include "export/export_gguf.h"
#include "file/copied_files.h"
#include "math/linear_algebra.h"
#include "model/model.h"
#include "run/cpu_compute.h"
#include "run/device_memory.h"
#include "run/fingerprint.h"
#include "run/machine.h"
#include "run/preflight.h"
#include "run/progress.h"
#include "worker/device_json.h"
#include "worker/evaluation_json.h"
#include "worker/export_json.h"
#include "worker/generate_command.h"
#include "worker/lab_command.h"

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

struct Tools {
  EventWriter& events;
  Observer& observer;
  SessionLines lines;
  OpenedDevice* device;  // null: the CPU
  const DeviceChoice& choice;
  ThreadPool& pool;
};

// False from end(): another thread has just given `cancelled` and ends the process.
const Error kCancelled{"cancelled", "The job was cancelled.", ""};

Result<CommandEnd> finished(Tools& tools, const Json& result) {
  if (!tools.events.end("finished", {{"result", result}})) return kCancelled;
  return CommandEnd::Finished;
}

Result<std::shared_ptr<const Model>> open_model(const std::string& folder, Observer& observer) {
  SIGNUM_TAKE(auto model, Model::open(folder));
  for (const std::string& note : model->notes()) observer.warning("model", note);
  return model;
}

// Names of the tensors, or of the modules where they are packed. Of a tied model the head's is the
// embedding's, or a second copy.
Json tables_of(const Model& model) {
  const auto name = [](const Table& table) { return table.stored() ? table.stored()->name : table.name(); };
  const char* copy = model.config().architecture->head;
  const std::string head = model.config().tied && model.find(copy) ? copy : name(model.head_table());
  return {{"embedding", name(model.embedding_table())}, {"head", head}};
}

Json by_phase(const std::vector<std::pair<std::string, double>>& seconds) {
  Json json = Json::object();
  for (const auto& [phase, value] : seconds) json[phase] = value;
  return json;
}

// Null where it is packed.
Json stored_dtype(const Model& model, const LinearInfo& linear) {
  const TensorView* stored = model.find(linear.name + ".weight");
  return stored ? Json(dtype_name(stored->dtype)) : Json();
}

Result<CommandEnd> run(const InspectJob& job, Tools tools) {
  SIGNUM_TAKE(const auto model, open_model(job.model, tools.observer));
  const ModelConfig& config = model->config();
  Json result = {{"path", job.model},
                 {"architecture", config.architecture->name},
                 {"packed", model->packed()},
                 {"parameters", model->parameters()},
                 {"layers", config.layers},
                 {"hidden", config.hidden},
                 {"intermediate", config.intermediate},
                 {"heads", config.heads},
                 {"kv_heads", config.kv_heads},
                 {"vocabulary", config.vocabulary},
                 {"context", config.context},
                 {"tied", config.tied},
                 {"dtype", dtype_name(model->dtype())},
                 {"bytes", model->weight_bytes()},
                 {"files", Json::array()},
                 {"program", program_name()},
                 {"copied", files_to_copy(job.model)},
                 {"tables", tables_of(*model)},
                 {"tensors", Json::array()},
                 {"linears", Json::array()}};
  for (const ModelFile& file : model->files())
    result["files"].push_back({{"name", file.name}, {"bytes", file.bytes}});
  for (const LinearInfo& linear : model->linears())
    result["linears"].push_back({{"name", linear.name},
                                 {"layer", linear.layer},
                                 {"kind", linear.kind},
                                 {"rows", linear.rows},
                                 {"columns", linear.columns},
                                 {"dtype", stored_dtype(*model, linear)}});
  for (size_t layer = 0; layer <= config.layers; ++layer)
    for (const TensorView* tensor : model->other_tensors(layer))
      result["tensors"].push_back({{"name", tensor->name},
                                   {"layer", layer},
                                   {"dtype", dtype_name(tensor->dtype)},
                                   {"shape", tensor->shape}});
  return finished(tools, result);
}

Result<CommandEnd> run(const QuantizeJob& job, Tools tools) {
  SIGNUM_TAKE(
      const QuantizeOutcome outcome,
      run_quantize(job, tools.observer, tools.pool, tools.device ? tools.device->backend() : cpu_backend()));
  if (outcome.stopped) {
    if (!tools.events.end("stopped",
                          {{"finished_layers", outcome.finished_layers}, {"layers", outcome.layers}}))
      return kCancelled;
    return CommandEnd::Stopped;
  }
  const PackedNumbers& numbers = outcome.numbers;
  return finished(tools, {{"packed", outcome.packed},
                          {"nominal_bits", numbers.nominal_bits},
                          {"linear_bits", numbers.linear_bits},
                          {"file_bits", numbers.file_bits},
                          {"file_bytes", numbers.file_bytes},
                          {"linear_bytes", numbers.linear_bytes},
                          {"weights", numbers.weights},
                          {"parameters", outcome.parameters},
                          {"seconds", by_phase(outcome.seconds)},
                          {"peak_resident_bytes", outcome.peak_resident_bytes}});
}

Result<CommandEnd> run(const LayerJob& job, Tools tools) {
  SIGNUM_TRY(run_layer(job, tools.observer, tools.pool));
  return finished(tools, Json::object());
}

Result<CommandEnd> run(const EvaluateJob& job, Tools tools) {
  SIGNUM_TAKE(const auto model, open_model(job.model, tools.observer));
  std::shared_ptr<const Model> reference;
  if (job.reference) {
    SIGNUM_TAKE(reference, open_model(*job.reference, tools.observer));
  }
  SIGNUM_TAKE(const auto tokens, read_tokens(job.tokens, model->config().vocabulary));
  Progress progress(tools.observer);
  EvaluationOptions options{.windows = job.windows, .activations = {}, .progress = {}};
  bool first = true;
  options.progress = [&](size_t done, size_t total) {
    if (std::exchange(first, false)) progress.begin(Phase::Evaluate, total, "steps");
    progress.done(done);
  };
  SIGNUM_TAKE(const Evaluation measured,
              tools.device ? tools.device->evaluate(*model, reference.get(), tokens, options, tools.pool)
                           : evaluate(*model, reference.get(), tokens, options, tools.pool));
  SIGNUM_TRY(model->unchanged());
  if (reference) SIGNUM_TRY(reference->unchanged());
  if (job.targets) SIGNUM_TRY(write_targets(*job.targets, measured, job.windows));
  for (const Json& metric : metrics_json(measured, job.windows.protocol)) tools.events.emit("metric", metric);
  return finished(tools, evaluation_json(measured, job.windows.protocol));
}

Result<CommandEnd> run(const LogitsJob& job, Tools tools) {
  SIGNUM_TAKE(const auto model, open_model(job.model, tools.observer));
  SIGNUM_TAKE(const auto tokens, read_tokens(job.tokens, model->config().vocabulary));
  SIGNUM_TRY(
      check_memory(uint64_t(tokens.size()) * model->config().vocabulary * sizeof(float), available_memory()));
  SIGNUM_TAKE(const Matrix values, tools.device ? tools.device->logits(*model, tokens, tools.pool)
                                                : logits(*model, tokens, tools.pool));
  SIGNUM_TRY(model->unchanged());
  SIGNUM_TRY(
      write_safetensors(job.output,
                        {{"logits",
                          DType::F32,
                          {values.rows(), values.columns()},
                          {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)}}},
                        {}, false));
  return finished(tools, Json::object());
}

// One for each format.
Result<ExportOutcome> write(const GgufOptions& options, const Model& model, const std::string& output,
                            const ExportProgress& progress, ThreadPool& pool) {
  return export_gguf(model, output, options, progress, pool);
}
Result<ExportOutcome> write(const HuggingFaceOptions& options, const Model& model, const std::string& output,
                            const ExportProgress& progress, ThreadPool& pool) {
  return export_huggingface(model, output, options, progress, pool);
}
Result<ExportOutcome> write(const GptqOptions& options, const Model& model, const std::string& output,
                            const ExportProgress& progress, ThreadPool& pool) {
  return export_gptq(model, output, options, progress, pool);
}

Result<CommandEnd> run(const ExportJob& job, Tools tools) {
  SIGNUM_TAKE(const auto model, open_model(job.model, tools.observer));
  Progress progress(tools.observer);
  std::optional<Phase> now;
  const ExportProgress told = [&](Phase phase, uint64_t done, uint64_t total) {
    if (std::exchange(now, phase) != phase) progress.begin(phase, total, "bytes");
    progress.done(done);
    return progress.check();
  };
  SIGNUM_TAKE(
      const ExportOutcome outcome,
      std::visit([&](const auto& options) { return write(options, *model, job.output, told, tools.pool); },
                 job.options));
  for (const std::string& note : outcome.notes) tools.observer.warning("export", note);
  return finished(tools, export_json(kExportFormats[job.options.index()], outcome));
}

Result<CommandEnd> run(const MeasureJob& job, Tools tools) {
  SIGNUM_TAKE(const MeasureOutcome outcome, run_measure(job, tools.observer, tools.pool));
  return finished(tools, {{"tokens", outcome.tokens},
                          {"probe_tokens", outcome.probe_tokens},
                          {"seconds", by_phase(outcome.seconds)},
                          {"peak_resident_bytes", outcome.peak_resident_bytes}});
}

Result<CommandEnd> run(const GenerateJob& job, Tools tools) {
  const auto began = std::chrono::steady_clock::now();
  SIGNUM_TAKE(const auto model, open_model(job.model, tools.observer));
  SIGNUM_TAKE(const SessionTotals totals,
              run_generate(job, model, began, tools.lines.generate, tools.events, tools.device, tools.pool));
  return finished(tools, {{"requests", totals.requests}, {"tokens", totals.tokens}});
}

Result<CommandEnd> run(const LabJob& job, Tools tools) {
  SIGNUM_TAKE(const LabTotals totals,
              run_lab(job, tools.lines.lab, tools.events, tools.observer, tools.pool));
  return finished(tools, {{"linears", totals.linears}, {"trials", totals.trials}});
}

Result<CommandEnd> run(const DevicesJob&, Tools tools) {
  Json result = device_list_json(list_devices({tools.choice.libraries}));
  result["cpu"] = {{"threads", tools.pool.threads()},
                   {"simd", simd_target_name()},
                   {"blas", blas_core_name()},
                   {"memory_bytes", total_memory()}};
  return finished(tools, result);
}

Result<CommandEnd> run(const DevicePlanJob& job, Tools tools) {
  SIGNUM_TAKE(const auto model, Model::open(job.model));
  SIGNUM_TAKE(const RunRecipe recipe, RunRecipe::from_json(job.recipe));
  SIGNUM_TRY(recipe.check(*model));
  if (model->packed())
    return Error{"already_quantized", job.model + " is a packed model; give the original one.", ""};
  const CalibrationPlan* calibration = job.calibration ? &*job.calibration : nullptr;
  MemoryQuestion question = memory_question(*model, recipe, calibration);
  question.pinned_bytes = job.activation_memory_bytes;
  question.card_bytes = job.memory_bytes;
  const MemoryPlan plan = plan_memory(question);
  return finished(tools,
                  memory_plan_json(plan, host_memory_needed(*model, recipe, calibration, plan.activations)));
}

}  // namespace

Result<CommandEnd> run_command(const Job& job, EventWriter& events, Observer& observer, SessionLines lines,
                               OpenedDevice* device, ThreadPool& pool) {
  return std::visit(
      [&](const auto& work) {
        return run(work, Tools{events, observer, lines, device, job.device, pool});
      },
      job.work);
}

}  // namespace signum
