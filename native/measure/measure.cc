#include "measure/measure.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/pool.h"
#include "file/durable_file.h"
#include "measure/probes.h"
#include "run/cpu_compute.h"
#include "run/machine.h"
#include "run/preflight.h"
#include "run/quantize_layer.h"

namespace signum {
namespace {

using Json = nlohmann::json;

struct Candidate {
  RunRecipe whole;  // for all linears
  const Recipe* recipe = nullptr;
};

// A correction depends on the linears before, and here each linear stands alone.
Result<RunRecipe> without_correction(const std::string& text) {
  SIGNUM_TRY(RunRecipe::from_json(text));
  Json json = Json::parse(text);
  for (const auto& [key, value] : json.items())
    if (key != "method" && key != "parameters")
      return Error{"recipe_invalid", "A candidate has a method and parameters, no '" + key + "'.", ""};
  if (json["parameters"].contains("correction")) json["parameters"]["correction"] = 0;
  return RunRecipe::from_json(json.dump());
}

// quantize_layer() tells of one recipe per linear; here it is asked for every candidate in turn.
class Listener : public Observer {
 public:
  explicit Listener(Observer& outer) : outer_(outer) {}
  void linear(const LinearReport& report) override { reports.push_back(report); }
  void warning(const std::string& code, const std::string& message) override {
    outer_.warning(code, message);
  }
  bool cancelled() override { return outer_.cancelled(); }

  std::vector<LinearReport> reports;

 private:
  Observer& outer_;
};

class MeasureRun {
 public:
  MeasureRun(const MeasureJob& job, Observer& observer, ThreadPool& pool)
      : job_(job), observer_(observer), pool_(pool), progress_(observer) {}
  Result<MeasureOutcome> run();

 private:
  Status open();
  Status check_room() const;
  Status embed();
  Status measure_layer(size_t index);
  void tell(std::span<const LinearInfo> infos, const QuantizedLayer& layer,
            std::span<const LinearReport> reports, std::span<const double> powers);
  Status compare();

  const MeasureJob& job_;
  Observer& observer_;
  ThreadPool& pool_;
  Progress progress_;
  std::vector<Candidate> candidates_;
  std::shared_ptr<const Model> model_;
  std::vector<uint32_t> windows_;
  std::optional<Activations> activations_;
  std::optional<Probes> probes_;
  std::vector<Sensitivity> sensitivities_;  // without what the predictions tell
  ForwardBuffers buffers_;
};

Status MeasureRun::open() {
  if (job_.candidates.empty() || job_.candidates.size() > kMostCandidates)
    return Error{"job_invalid", "There must be 1 to " + std::to_string(kMostCandidates) + " candidates.", ""};
  for (const std::string& text : job_.candidates) {
    SIGNUM_TAKE(RunRecipe whole, without_correction(text));
    candidates_.push_back({std::move(whole), nullptr});
    candidates_.back().recipe = candidates_.back().whole.of("");
  }
  const CalibrationPlan& plan = job_.calibration.plan;
  if (job_.probe >= candidates_.size())
    return Error{"job_invalid", "The probe must be one of the candidates.", ""};
  if (job_.probe_sequences > plan.sequences)
    return Error{"job_invalid", "There are fewer calibration sequences than linears are to be probed with.",
                 ""};
  SIGNUM_TAKE(model_, Model::open(job_.model));
  if (model_->packed())
    return Error{"already_quantized", job_.model + " is a packed model; give the original one.", ""};
  SIGNUM_TAKE(const auto tokens, read_tokens(job_.calibration.tokens, model_->config().vocabulary));
  SIGNUM_TAKE(const auto starts, window_starts(plan, tokens.size(), model_->config().context));
  windows_ = take_windows(tokens, starts, plan.length);
  for (const std::string& note : model_->notes()) observer_.warning("model", note);
  SIGNUM_TRY(check_room());
  SIGNUM_TRY(model_->check_finite(pool_));
  return progress_.check();
}

// As a run with the most demanding candidate, and what is held of all candidates of a layer.
Status MeasureRun::check_room() const {
  const CalibrationPlan& plan = job_.calibration.plan;
  uint64_t run = 0, widest = 0, packed = 0, layer = 0;
  std::vector<FactorOptions> factors;
  for (const auto& [whole, recipe] : candidates_) {
    run = std::max(run, memory_needed(*model_, whole, &plan, job_.activation_limit));
    const bool factored = needs_hessian(*recipe);
    if (factored && std::ranges::find(factors, factor_options(*recipe)) == factors.end())
      factors.push_back(factor_options(*recipe));
    for (const LinearInfo& linear : model_->linears_of(0))
      packed += packed_bytes(*recipe, linear.rows, linear.columns);
  }
  for (const LinearInfo& linear : model_->linears_of(0)) {
    layer += uint64_t(linear.rows) * linear.columns * sizeof(float);
    widest = std::max<uint64_t>(widest, linear.columns);
  }
  uint64_t needed = run + packed;
  if (factors.size() > 1) needed += (factors.size() - 1) * widest * widest * sizeof(float);
  uint64_t disk = 0;
  const uint64_t activations = activation_bytes(*model_, plan);
  if (activations > job_.activation_limit) disk += activations;
  if (job_.probe_sequences > 0) {
    const uint64_t streams = Probes::bytes(*model_, job_.probe_sequences * plan.length);
    (streams <= job_.activation_limit ? needed : disk) += streams;
    needed += layer;
  }
  SIGNUM_TRY(check_disk(job_.folder, disk, free_bytes(job_.folder)));
  return check_memory(needed, available_memory());
}

Status MeasureRun::embed() {
  const size_t length = job_.calibration.plan.length;
  const ActivationLimit limit{job_.activation_limit, job_.folder};
  SIGNUM_TAKE(activations_, Activations::embedded(*model_, windows_, length, limit, pool_));
  if (job_.probe_sequences == 0) return {};
  SIGNUM_TAKE(probes_, Probes::start(*model_, std::span(windows_).first(job_.probe_sequences * length),
                                     length, limit, pool_));
  return {};
}

Status MeasureRun::measure_layer(size_t index) {
  const size_t candidates = candidates_.size(), sequences = activations_->sequences();
  const auto infos = model_->linears_of(index);
  SIGNUM_TAKE(DecoderLayer layer, DecoderLayer::load(*model_, index, pool_));
  progress_.begin(Phase::Calibrate, sequences, "sequences");
  SIGNUM_TAKE(LayerHessians hessians, collect_hessians(layer, *activations_, buffers_, pool_,
                                                       [&](size_t done, size_t) { progress_.done(done); }));
  SIGNUM_TRY(progress_.check());
  std::vector<double> powers;
  for (size_t i = 0; i < infos.size(); ++i)
    // H = (2 / sequences) sum x x^T.
    powers.push_back(output_power(layer.weight(i), hessians.of(infos[i].input), pool_) /
                     double(2 * activations_->length()));

  std::vector<LinearTask> tasks;
  std::vector<LinearInfo> each;  // every linear as often as there are candidates
  for (const LinearInfo& info : infos)
    for (const Candidate& candidate : candidates_) {
      tasks.push_back({candidate.recipe, nullptr});
      each.push_back(info);
    }
  std::vector<Matrix> decoded(probes_ ? infos.size() : 0);
  LinearWeights weights{
      .take = [&](size_t i) -> Result<Matrix> { return layer.weight(i / candidates).clone(); },
      .give =
          [&](size_t i, Matrix its) {
            if (probes_ && i % candidates == job_.probe) decoded[i / candidates] = std::move(its);
          }};
  CpuLinears linears(std::move(weights), &hessians, pool_);
  Listener listener(observer_);
  SIGNUM_TAKE(const QuantizedLayer done, quantize_layer(tasks, each, linears, {}, progress_, listener));
  SIGNUM_TRY(model_->unchanged());
  tell(infos, done, listener.reports, powers);

  const size_t calibrated = index + 1 < model_->config().layers ? sequences : 0;
  const size_t probed = probes_ ? probes_->passes(infos.size()) : 0;
  progress_.begin(Phase::Propagate, calibrated + probed, "sequences");
  if (calibrated > 0)
    SIGNUM_TRY(
        advance(layer, *activations_, buffers_, pool_, [&](size_t moved, size_t) { progress_.done(moved); }));
  SIGNUM_TRY(progress_.check());
  if (!probes_) return {};
  return probes_->pass(layer, decoded, buffers_, pool_, [&](size_t moved) {
    progress_.done(calibrated + moved);
    return progress_.check();
  });
}

void MeasureRun::tell(std::span<const LinearInfo> infos, const QuantizedLayer& layer,
                      std::span<const LinearReport> reports, std::span<const double> powers) {
  for (size_t i = 0; i < reports.size(); ++i) {
    const size_t linear = i / candidates_.size(), candidate = i % candidates_.size();
    const LinearReport& report = reports[i];
    const PackedLinear& packed = layer.linears[i].packed;
    observer_.measured({.linear = infos[linear].name,
                        .layer = report.layer,
                        .candidate = candidate,
                        .rows = report.rows,
                        .columns = report.columns,
                        .bytes = packed.bytes(),
                        .order_bytes = packed.order ? order_tensor(*packed.order).bytes.size() : 0,
                        .nominal_bits = report.nominal_bits,
                        .weight_error = report.weight_error,
                        .output_error = *report.output_error,
                        .output_power = powers[linear],
                        .salient_columns = report.salient_columns,
                        .seconds = report.seconds});
    if (probes_ && candidate == job_.probe)
      sensitivities_.push_back(
          {.linear = report.name, .output_error = *report.output_error, .standard_error = {}});
  }
}

Status MeasureRun::compare() {
  if (!probes_) return {};
  progress_.begin(Phase::Evaluate, probes_->tokens(), "tokens");
  SIGNUM_TAKE(const auto divergences, probes_->divergences(*model_, pool_, [&](size_t done) {
    progress_.done(done);
    return progress_.check();
  }));
  progress_.end();
  for (size_t i = 0; i < sensitivities_.size(); ++i) {
    sensitivities_[i].kld = divergences[i].value;
    sensitivities_[i].standard_error = divergences[i].standard_error;
    observer_.sensitivity(sensitivities_[i]);
  }
  return {};
}

Result<MeasureOutcome> MeasureRun::run() {
  SIGNUM_TRY(open());
  const size_t layers = model_->config().layers;
  RunPlan plan{.layers = layers, .linears = model_->linears().size()};
  for (const LinearInfo& linear : model_->linears()) plan.weights += linear.rows * linear.columns;
  observer_.plan(plan);
  SIGNUM_TRY(embed());
  for (size_t layer = 0; layer < layers; ++layer) {
    progress_.layer_begins(layers - layer);
    SIGNUM_TRY(measure_layer(layer));
    progress_.layer_ends();
  }
  SIGNUM_TRY(compare());
  SIGNUM_TRY(model_->unchanged());
  MeasureOutcome outcome{.tokens = windows_.size(),
                         .probe_tokens = probes_ ? probes_->tokens() : 0,
                         .peak_resident_bytes = peak_resident_bytes()};
  for (size_t phase = 0; phase < std::size(kPhaseNames); ++phase)
    if (const double seconds = progress_.seconds(Phase(phase)); seconds > 0)
      outcome.seconds.emplace_back(kPhaseNames[phase], seconds);
  return outcome;
}

}  // namespace

Result<MeasureOutcome> run_measure(const MeasureJob& job, Observer& observer, ThreadPool& pool) {
  return MeasureRun(job, observer, pool).run();
}

}  // namespace signum
