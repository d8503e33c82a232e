#include "run/quantize_run.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "file/copied_files.h"
#include "file/durable_file.h"
#include "file/json_file.h"
#include "file/packed_shard.h"
#include "file/sha256.h"
#include "run/cpu_compute.h"
#include "run/diagnostics.h"
#include "run/machine.h"
#include "run/preflight.h"
#include "run/quantize_layer.h"
#include "run/run_folder.h"
#include "run/state.h"
#include "run/tables.h"

namespace signum {
namespace {

// What one run holds from its checks to its end.
class QuantizeRun {
 public:
  QuantizeRun(const QuantizeJob& job, Observer& observer, ThreadPool& pool, Backend& backend)
      : job_(job), observer_(observer), pool_(pool), backend_(backend), progress_(observer) {}

  Result<QuantizeOutcome> run(RunFolder& folder);

 private:
  Status open();
  Status read_calibration();
  Status begin_or_resume(const RunFolder& folder);
  Status check_room(const RunFolder& folder) const;
  void announce();
  Status embed(const RunFolder& folder);
  Status replay_layer(const RunFolder& folder, size_t layer);
  Status quantize_one(const RunFolder& folder, size_t layer);
  void begin_saving(const RunFolder& folder, size_t layer, QuantizedLayer done);
  Status end_saving(const RunFolder& folder);
  Result<QuantizeOutcome> all_layers(const RunFolder& folder);
  Status advance();
  Status finish(const RunFolder& folder);
  Result<QuantizeOutcome> outcome(const RunFolder& folder);

  size_t layers() const { return model_->config().layers; }
  std::string shard_path(const RunFolder& folder, size_t index) const {
    return folder.packed() + "/" + shard_name(index, layers() + 1);
  }
  uint64_t shard_bytes(const RunFolder& folder, size_t index) const {
    std::error_code ignored;
    return std::filesystem::file_size(shard_path(folder, index), ignored);
  }

  const QuantizeJob& job_;
  Observer& observer_;
  ThreadPool& pool_;
  Backend& backend_;
  Progress progress_;
  RunRecipe recipe_;
  std::shared_ptr<const Model> model_;
  std::vector<std::string> copied_;  // names of files that are copied
  std::vector<uint32_t> windows_;    // [sequences, length] token ids; empty without calibration
  RunState state_;
  bool paired_ = false;  // the original model is followed as well, for a correction
  // The layer whose files are being written; where the back end leaves the host idle, beside the next one.
  struct Saving {
    size_t layer = 0;
    QuantizedLayer done;
    std::future<Status> written;
  };
  std::unique_ptr<Saving> saving_;
  std::unique_ptr<LayerCompute> compute_;  // null where every layer is finished
};

Status QuantizeRun::open() {
  SIGNUM_TAKE(recipe_, RunRecipe::from_json(job_.recipe));
  SIGNUM_TAKE(state_.fingerprint, fingerprint_of_program(job_.recipe));
  state_.fingerprint.device = backend_.fingerprint();
  SIGNUM_TAKE(model_, Model::open(job_.model));
  if (model_->packed())
    return Error{"already_quantized", job_.model + " is a packed model; give the original one.", ""};
  state_.layers = layers();
  SIGNUM_TRY(recipe_.check(*model_));
  SIGNUM_TRY(backend_.check_recipe(*model_, recipe_));
  const Recipe* needing = recipe_.needing_hessian(model_->linears());
  if (!job_.calibration && needing)
    return Error{"job_invalid",
                 std::string("This recipe of ") + method_id(needing->method) + " needs a calibration.", ""};
  SIGNUM_TRY(read_calibration());
  for (const std::string& note : model_->notes()) observer_.warning("model", note);

  copied_ = files_to_copy(job_.model);
  std::vector<std::string> sources = copied_;
  for (const ModelFile& file : model_->files())
    if (file.name != "config.json") sources.push_back(file.name);
  SIGNUM_TAKE(state_.fingerprint.source, source_json(job_.model, sources, progress_));
  return {};
}

Status QuantizeRun::read_calibration() {
  if (!job_.calibration) return {};
  const CalibrationPlan& plan = job_.calibration->plan;
  SIGNUM_TAKE(const auto tokens, read_tokens(job_.calibration->tokens, model_->config().vocabulary));
  SIGNUM_TAKE(const auto starts, window_starts(plan, tokens.size(), model_->config().context));
  windows_ = take_windows(tokens, starts, plan.length);
  state_.fingerprint.calibration = calibration_json(tokens, plan);
  return {};
}

Status QuantizeRun::begin_or_resume(const RunFolder& folder) {
  if (!job_.resume) {
    SIGNUM_TRY(check_room(folder));
    SIGNUM_TRY(model_->check_finite(pool_));
    SIGNUM_TRY(model_->unchanged());
    SIGNUM_TRY(progress_.check());
    SIGNUM_TRY(write_state(folder.state(), state_));
    return folder.prepare(job_.calibration.has_value());
  }
  SIGNUM_TAKE(RunState before, read_state(folder.state()));
  const bool moved = job_.resume_elsewhere && before.move_to(state_.fingerprint.device);
  const std::string differs = difference(before.fingerprint, state_.fingerprint);
  if (!differs.empty())
    return Error{"resume_mismatch", "This run began with something else (" + differs + ").", ""};
  if (before.layers != state_.layers)
    return Error{"resume_mismatch", "This run began with another model.", ""};
  state_ = std::move(before);
  if (const std::string where = state_.made_where(); !where.empty()) observer_.warning("device", where);
  SIGNUM_TRY(folder.prepare(job_.calibration.has_value()));
  if (!state_.complete) SIGNUM_TRY(check_room(folder));
  return moved ? write_state(folder.state(), state_) : Status();
}

Status QuantizeRun::check_room(const RunFolder& folder) const {
  uint64_t disk = shards_bytes(*model_, recipe_, state_.finished_layers);
  const CalibrationPlan* plan = job_.calibration ? &job_.calibration->plan : nullptr;
  if (plan) disk += diagnostics_bytes(*model_, state_.finished_layers);
  if (plan && backend_.activations_in_file(*model_, recipe_, *plan, job_.activation_limit))
    disk += streams(*model_, recipe_) * activation_bytes(*model_, *plan);
  SIGNUM_TRY(check_disk(folder.path(), disk, free_bytes(folder.path())));
  return backend_.check_memory(*model_, recipe_, plan, job_.activation_limit);
}

void QuantizeRun::announce() {
  RunPlan plan{.layers = layers(),
               .linears = model_->linears().size(),
               .weights = 0,
               .resumed_layers = state_.finished_layers};
  for (const LinearInfo& linear : model_->linears()) plan.weights += linear.rows * linear.columns;
  observer_.plan(plan);
  for (const LinearReport& report : state_.linears) observer_.linear(report);
}

Status QuantizeRun::embed(const RunFolder& folder) {
  const CalibrationPlan* plan = job_.calibration ? &job_.calibration->plan : nullptr;
  SIGNUM_TAKE(compute_,
              backend_.compute(*model_, recipe_, plan, {job_.activation_limit, folder.path()}, pool_));
  if (!plan) return {};
  paired_ = recipe_.corrects(model_->linears());
  return compute_->embed(windows_, plan->length, paired_);
}

Status QuantizeRun::advance() {
  const size_t sequences = job_.calibration->plan.sequences;
  progress_.begin(Phase::Propagate, paired_ ? 2 * sequences : sequences, "sequences");
  SIGNUM_TRY(compute_->advance([&](size_t done, size_t) { progress_.done(done); }));
  SIGNUM_TRY(progress_.check());
  if (paired_)
    SIGNUM_TRY(compute_->advance_original([&](size_t done, size_t) { progress_.done(sequences + done); }));
  progress_.end();
  return progress_.check();
}

// A finished layer: its weights as its shard decodes to.
Status QuantizeRun::replay_layer(const RunFolder& folder, size_t layer) {
  SIGNUM_TAKE(const auto shard, verified_shard(shard_path(folder, layer), state_.fingerprint));
  if (!compute_ || !job_.calibration) return {};
  SIGNUM_TRY(compute_->load(layer));
  if (layer + 1 < layers()) compute_->read_ahead(layer + 1);
  const auto infos = model_->linears_of(layer);
  for (size_t i = 0; i < infos.size(); ++i) {
    if (!recipe_.of(infos[i].name)) continue;
    SIGNUM_TAKE(const PackedLinear packed, shard->linear(infos[i].name));
    SIGNUM_TRY(compute_->replay(packed, i));
  }
  return advance();
}

Status QuantizeRun::quantize_one(const RunFolder& folder, size_t layer) {
  const auto infos = model_->linears_of(layer);
  const auto calibrate = [&](const std::function<Status(const SequenceProgress&)>& collect) -> Status {
    progress_.begin(Phase::Calibrate, job_.calibration->plan.sequences, "sequences");
    SIGNUM_TRY(collect([&](size_t done, size_t) { progress_.done(done); }));
    return progress_.check();
  };
  SIGNUM_TRY(compute_->load(layer));
  if (layer + 1 < layers()) compute_->read_ahead(layer + 1);
  std::function<Status(LinearInput)> reach;
  if (paired_)
    reach = [&](LinearInput input) {
      return calibrate([&](const SequenceProgress& told) { return compute_->collect_paired(input, told); });
    };
  else if (job_.calibration)
    SIGNUM_TRY(calibrate([&](const SequenceProgress& told) { return compute_->collect(told); }));
  std::vector<LinearTask> tasks;
  for (const LinearInfo& info : infos)
    tasks.push_back({recipe_.of(info.name), model_->find(info.name + ".weight")});
  SIGNUM_TAKE(QuantizedLayer done, quantize_layer(tasks, infos, *compute_, reach, progress_, observer_));
  SIGNUM_TRY(model_->unchanged());
  SIGNUM_TRY(end_saving(folder));  // of the layer before
  begin_saving(folder, layer, std::move(done));
  if (!backend_.leaves_host_idle()) SIGNUM_TRY(end_saving(folder));
  if (job_.calibration && layer + 1 < layers()) SIGNUM_TRY(advance());
  progress_.end();
  return {};
}

// Writes what is finished: beside what comes, or when end_saving() waits for it.
void QuantizeRun::begin_saving(const RunFolder& folder, size_t layer, QuantizedLayer done) {
  saving_ = std::make_unique<Saving>(Saving{.layer = layer, .done = std::move(done), .written = {}});
  const auto how = backend_.leaves_host_idle() ? std::launch::async : std::launch::deferred;
  saving_->written = std::async(how, [this, &folder, layer, &finished = saving_->done]() -> Status {
    std::vector<const TensorView*> copied = model_->other_tensors(layer);
    for (const LinearInfo& info : model_->linears_of(layer))
      if (!recipe_.of(info.name)) copied.push_back(model_->find(info.name + ".weight"));
    if (!finished.diagonals.empty())
      SIGNUM_TRY(write_diagnostics(folder.diagnostics() + "/" + diagnostics_name(layer), finished.diagonals,
                                   state_.fingerprint));
    return write_shard(shard_path(folder, layer), finished.linears, copied, {}, state_.fingerprint);
  });
}

// From here on the layer is finished, whatever happens.
Status QuantizeRun::end_saving(const RunFolder& folder) {
  if (!saving_) return {};
  const std::unique_ptr<Saving> saved = std::move(saving_);
  progress_.begin(Phase::Write, 1, "shards");
  SIGNUM_TRY(saved->written.get());
  state_.finished_layers = saved->layer + 1;
  state_.linears.insert(state_.linears.end(), saved->done.reports.begin(), saved->done.reports.end());
  SIGNUM_TRY(write_state(folder.state(), state_));
  progress_.done(1);
  observer_.saved(saved->layer, shard_name(saved->layer, layers() + 1), shard_bytes(folder, saved->layer));
  return progress_.check();
}

// The rest shard, the copied files, and last the index: with it the folder is a packed model.
Status QuantizeRun::finish(const RunFolder& folder) {
  progress_.begin(Phase::Write, 1, "shards");
  SIGNUM_TAKE(const PackedTables tables, pack_tables(*model_, recipe_.tables(), pool_));
  std::vector<const TensorView*> copied = model_->other_tensors(layers());
  std::erase_if(copied, [&](const TensorView* tensor) {
    return std::ranges::find(tables.replaced, tensor->name) != tables.replaced.end();
  });
  SIGNUM_TRY(write_shard(shard_path(folder, layers()), {}, copied, tables.converted, state_.fingerprint,
                         tables.packed));
  SIGNUM_TRY(model_->unchanged());
  observer_.saved(layers(), shard_name(layers(), layers() + 1), shard_bytes(folder, layers()));
  SIGNUM_TRY(progress_.check());
  SIGNUM_TRY(copy_files(job_.model, folder.packed(), copied_, state_.fingerprint.source));
  SIGNUM_TRY(write_index(folder.packed(), layers() + 1));
  state_.complete = true;
  SIGNUM_TRY(write_state(folder.state(), state_));
  progress_.done(1);
  progress_.end();
  return {};
}

Result<QuantizeOutcome> QuantizeRun::outcome(const RunFolder& folder) {
  QuantizeOutcome outcome{.finished_layers = layers(),
                          .layers = layers(),
                          .packed = folder.packed(),
                          .parameters = model_->parameters(),
                          .peak_resident_bytes = peak_resident_bytes()};
  SIGNUM_TAKE(outcome.numbers, count_packed(folder.packed(), layers() + 1, *model_));
  for (size_t phase = 0; phase < std::size(kPhaseNames); ++phase)
    if (const double seconds = progress_.seconds(Phase(phase)); seconds > 0)
      outcome.seconds.emplace_back(kPhaseNames[phase], seconds);
  return outcome;
}

// Nothing: all layers are finished. Else the run was stopped.
Result<QuantizeOutcome> QuantizeRun::all_layers(const RunFolder& folder) {
  const size_t resumed = state_.finished_layers;
  if (resumed < layers()) SIGNUM_TRY(embed(folder));
  for (size_t layer = 0; layer < layers(); ++layer) {
    if (observer_.stop_requested()) {
      SIGNUM_TRY(end_saving(folder));
      return QuantizeOutcome{.stopped = true, .finished_layers = state_.finished_layers, .layers = layers()};
    }
    if (layer < resumed) {
      SIGNUM_TRY(replay_layer(folder, layer));
      continue;
    }
    progress_.layer_begins(layers() - layer);
    SIGNUM_TRY(quantize_one(folder, layer));
    progress_.layer_ends();
  }
  SIGNUM_TRY(end_saving(folder));
  return QuantizeOutcome{};
}

Result<QuantizeOutcome> QuantizeRun::run(RunFolder& folder) {
  SIGNUM_TRY(open());
  SIGNUM_TRY(begin_or_resume(folder));
  announce();
  auto done = all_layers(folder);
  if (!done.ok()) {
    // A layer that was finished before this happened is kept; why the run ends is what matters.
    const Status kept = end_saving(folder);
    if (!kept.ok() && kept.error().code != "cancelled")
      observer_.warning(kept.error().code, kept.error().message);
    return done.error();
  }
  if (done.value().stopped) return done;
  compute_.reset();
  if (!state_.complete) SIGNUM_TRY(finish(folder));
  return outcome(folder);
}

}  // namespace

Result<QuantizeOutcome> run_quantize(const QuantizeJob& job, Observer& observer, ThreadPool& pool,
                                     Backend& backend) {
  if (job.resume && !std::filesystem::exists(job.run + "/state.json"))
    return Error{"nothing_to_resume", job.run + " holds no run to go on with.", ""};
  SIGNUM_TAKE(RunFolder folder, RunFolder::lock(job.run, !job.resume));
  return QuantizeRun(job, observer, pool, backend).run(folder);
}

Result<QuantizeOutcome> run_quantize(const QuantizeJob& job, Observer& observer, ThreadPool& pool) {
  return run_quantize(job, observer, pool, cpu_backend());
}

}  // namespace signum
