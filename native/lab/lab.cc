#include "lab/lab.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/pool.h"
#include "calibrate/tokens.h"
#include "file/durable_file.h"
#include "model/decoder_layer.h"
#include "run/machine.h"
#include "run/preflight.h"
#include "run/shard.h"

namespace signum {
namespace {

using Clock = std::chrono::steady_clock;

// Keeps warnings with the trial that they belong to.
class Listener : public Observer {
 public:
  void warning(const std::string& code, const std::string& message) override {
    warnings.emplace_back(code, message);
  }
  std::vector<std::pair<std::string, std::string>> warnings;
};

// Sequences moved through a layer or read in it, over all layers that a linear waits for.
class Walk {
 public:
  Walk(Observer& observer, size_t total) : observer_(observer), total_(total) {}
  SequenceProgress layer() {
    return [this, before = done_](size_t done, size_t) {
      done_ = before + done;
      const double took = std::chrono::duration<double>(Clock::now() - began_).count();
      observer_.progress(
          {Phase::Calibrate, done_, total_, "sequences",
           took * double(total_ - std::min(total_, done_)) / double(std::max<size_t>(1, done_))});
    };
  }

 private:
  Observer& observer_;
  size_t total_;
  size_t done_ = 0;
  Clock::time_point began_ = Clock::now();
};

size_t bytes_of(const Factor& factor) {
  size_t bytes = factor.r.size() * sizeof(float);
  for (const Matrix& block : factor.blocks) bytes += block.size() * sizeof(float);
  return bytes;
}

}  // namespace

Result<Lab> Lab::open(LabJob job, Observer& observer) {
  Lab lab;
  lab.store_ = HessianStore(job.hessians);
  SIGNUM_TAKE(lab.model_, Model::open(job.model));
  if (lab.model_->packed())
    return Error{"already_quantized", job.model + " is a packed model; give the original one.", ""};
  for (const std::string& note : lab.model_->notes()) observer.warning("model", note);
  if (job.calibration) {
    const auto& [path, plan] = *job.calibration;
    SIGNUM_TAKE(const auto tokens, read_tokens(path, lab.model_->config().vocabulary));
    SIGNUM_TAKE(const auto starts, window_starts(plan, tokens.size(), lab.model_->config().context));
    lab.windows_ = take_windows(tokens, starts, plan.length);
  }
  lab.job_ = std::move(job);
  return lab;
}

// One layer in F32, all its Hessians, the factor (F64 while it is made) and the forward pass.
Status Lab::check_room() const {
  const CalibrationPlan& plan = job_.calibration->plan;
  uint64_t floats = 0, widest = 0;
  for (const LinearInfo& linear : model_->linears_of(0)) {
    floats += uint64_t(linear.rows) * linear.columns;
    widest = std::max<uint64_t>(widest, linear.columns);
  }
  for (size_t input = 0; input < kLinearInputs; ++input) {
    const uint64_t width = model_->input_width(LinearInput(input));
    floats += width * width;
  }
  floats += 3 * widest * widest;
  floats += uint64_t(sequences_per_batch(plan.length)) * plan.length * forward_floats(model_->config());
  uint64_t needed = floats * sizeof(float);
  if (!activations_) {
    const uint64_t activations = activation_bytes(*model_, plan);
    if (activations <= job_.activation_limit)
      needed += activations;
    else
      SIGNUM_TRY(check_disk(job_.folder, activations, free_bytes(job_.folder)));
  }
  return check_memory(needed, available_memory());
}

Status Lab::make_hessians(const LinearInfo& info, Observer& observer, ThreadPool& pool) {
  SIGNUM_TRY(check_room());
  const size_t length = job_.calibration->plan.length;
  // Half moved activations are of no use: they come back here when they are whole.
  std::optional<Activations> activations = std::exchange(activations_, std::nullopt);
  if (activations && reached_ > info.layer) activations.reset();
  if (!activations) {
    const ActivationLimit limit{job_.activation_limit, job_.folder};
    SIGNUM_TAKE(activations, Activations::embedded(*model_, windows_, length, limit, pool));
    reached_ = 0;
  }
  Walk walk(observer, (info.layer - reached_ + 1) * activations->sequences());
  for (; reached_ < info.layer; ++reached_) {
    SIGNUM_TAKE(const DecoderLayer passed, DecoderLayer::load(*model_, reached_, pool));
    SIGNUM_TRY(advance(passed, *activations, buffers_, pool, walk.layer()));
  }
  activations_ = std::move(activations);
  SIGNUM_TAKE(const DecoderLayer layer, DecoderLayer::load(*model_, info.layer, pool));
  SIGNUM_TAKE(hessians_, collect_hessians(layer, *activations_, buffers_, pool, walk.layer()));
  for (size_t input = 0; input < kLinearInputs; ++input) {
    const Matrix& hessian = hessians_.by_input[input];
    if (hessian.size() == 0) continue;
    const Status kept = store_.keep(info.layer, LinearInput(input), hessian);
    if (!kept.ok()) observer.warning(kept.error().code, kept.error().message);
  }
  return {};
}

Result<LabLinear> Lab::put(const std::string& name, Observer& observer, ThreadPool& pool) {
  const auto& linears = model_->linears();
  const auto found = std::ranges::find(linears, name, &LinearInfo::name);
  if (found == linears.end()) return Error{"tensor_missing", "The model has no linear " + name + ".", ""};
  const LinearInfo& info = *found;
  linear_.reset();
  power_.reset();
  SIGNUM_TRY(model_->unchanged());
  SIGNUM_TAKE(weight_, model_->weight(info, pool));
  bool at_hand = true;
  if (job_.calibration) {
    if (layer_ != info.layer) {
      layer_.reset();
      hessians_ = {};
      factors_.clear();
      factored_.reset();
    }
    layer_ = info.layer;
    Matrix& hessian = hessians_.of(info.input);
    if (hessian.size() == 0)
      if (auto kept = store_.find(info.layer, info.input, info.columns)) hessian = std::move(*kept);
    if (hessian.size() == 0) {
      at_hand = false;
      SIGNUM_TRY(make_hessians(info, observer, pool));
    }
    if (factored_ != std::pair(info.layer, info.input)) factors_.clear();
    factored_ = {info.layer, info.input};
  }
  SIGNUM_TRY(model_->unchanged());
  range_ = histogram_range(weight_, pool);
  LabLinear linear{.info = info,
                   .weights = histogram(weight_, range_, pool),
                   .tokens = windows_.size(),
                   .at_hand = at_hand};
  linear_ = info;
  return linear;
}

Result<const Factor*> Lab::factor(const Recipe& recipe, Observer& observer, ThreadPool& pool) {
  if (!needs_hessian(recipe)) return nullptr;
  if (!job_.calibration)
    return Error{"recipe_invalid",
                 std::string("The method ") + method_id(recipe.method) + " needs a calibration text.", ""};
  const FactorOptions options = factor_options(recipe);
  const auto its = std::ranges::find(factors_, options, [](const auto& one) { return one.first; });
  if (its != factors_.end()) {
    std::rotate(its, its + 1, factors_.end());
    for (const std::string& note : factors_.back().second->notes)
      observer.warning("hessian", linear_->name + ": " + note + ".");
    return factors_.back().second.get();
  }
  SIGNUM_TAKE(Factor made, factor_of(recipe, *linear_, hessians_.of(linear_->input), observer, pool));
  size_t bytes = 0;
  for (const auto& [key, factor] : factors_) bytes += bytes_of(*factor);
  while (!factors_.empty() && bytes + bytes_of(made) > kLabFactorBytes) {
    bytes -= bytes_of(*factors_.front().second);
    factors_.erase(factors_.begin());
  }
  return factors_.emplace_back(options, std::make_unique<Factor>(std::move(made))).second.get();
}

Result<LabTrial> Lab::try_recipe(const std::string& text, const std::string& folder, ThreadPool& pool) {
  if (!linear_) return Error{"job_invalid", "No linear is on the table.", ""};
  SIGNUM_TAKE(const Recipe recipe, recipe_from_json(text));
  SIGNUM_TAKE(const Fingerprint fingerprint, fingerprint_of_program(text));
  Listener listener;
  SIGNUM_TAKE(const Factor* const factor, this->factor(recipe, listener, pool));
  const Matrix* hessian = job_.calibration ? &hessians_.of(linear_->input) : nullptr;
  if (hessian && !power_) power_ = output_power(weight_, *hessian, pool);
  SIGNUM_TAKE(QuantizedLinear done,
              quantize_linear(recipe, *linear_, weight_, factor, hessian, listener, pool, power_));
  LabTrial trial{.report = std::move(done.report),
                 .quantized = histogram(done.decoded, range_, pool),
                 .levels = levels_of_row(done.decoded, linear_->rows / 2, kMostLevels),
                 .warnings = {}};
  std::vector<NamedLinear> linears;
  linears.push_back({linear_->name, std::move(done.packed)});
  share_orders(linears);
  count_stored(linears[0], trial.report);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Error{"write_failed", "The folder " + folder + " cannot be made.", failed.message()};
  SIGNUM_TRY(write_shard(folder + "/" + shard_name(0, 1), linears, {}, {}, fingerprint));
  SIGNUM_TRY(write_index(folder, 1));
  trial.warnings = std::move(listener.warnings);
  return trial;
}

}  // namespace signum
