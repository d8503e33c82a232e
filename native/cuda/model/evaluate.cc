#include "cuda/model/evaluate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cuda/model/activations.h"
#include "cuda/model/device_layer.h"
#include "cuda/model/ends.h"
#include "cuda/model/statistics.h"
#include "evaluate/logits.h"

namespace signum::cuda {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// All activations through all layers; batch_done after each layer and batch.
void through_layers(Card card, const Model& model, DeviceActivations& activations,
                    const std::function<void()>& batch_done, ThreadPool& pool) {
  BlockBuffers buffers;
  LayerReader reader(card, model);
  for (size_t index = 0; index < model.config().layers; ++index) {
    const DeviceLayer layer = reader.load(index, pool);
    reader.read_ahead(index + 1);
    BatchStream batches(activations, BatchStream::Keep);
    while (batches.next()) {
      layer.forward(card, batches.view(), activations.length(), batches.view(), buffers);
      batch_done();
    }
    batches.finish();
  }
}

}  // namespace

// One of the two models on its way: the residual stream of all windows, then the head.
struct DeviceEvaluation::Pass {
  DeviceActivations activations;
  DeviceHead head;
  EndsRoom room;
  double seconds = 0;
};

DeviceEvaluation::DeviceEvaluation(Card card, size_t models, const EvaluationOptions& options,
                                   ThreadPool& pool, uint64_t logit_bytes)
    : card_(card),
      options_(options),
      pool_(pool),
      logit_bytes_(logit_bytes),
      activation_bytes_(card.device.free_bytes() / (2 * std::max<size_t>(models, 1))) {}
DeviceEvaluation::~DeviceEvaluation() = default;

DeviceEvaluation::Pass DeviceEvaluation::run_pass(const Model& model, const EvaluationWindows& windows,
                                                  const std::function<void()>& batch_done) {
  const auto began = Clock::now();
  const ActivationPlace place =
      activation_place(windows.count, windows.window, model.config().hidden,
                       {.device_bytes = activation_bytes_, .host_bytes = options_.activations.memory_bytes});
  auto activations = DeviceActivations::embedded(card_, model, windows.ids, windows.window, place,
                                                 options_.activations, pool_);
  through_layers(card_, model, activations, batch_done, pool_);
  Pass pass{std::move(activations), DeviceHead::load(card_, model, pool_), {}, 0};
  pass.seconds = since(began);
  return pass;
}

Status DeviceEvaluation::run(const Model& model, const EvaluationWindows& windows,
                             const std::function<void()>& batch_done) {
  return guarded_status(
      [&] { passes_.push_back(std::make_unique<Pass>(run_pass(model, windows, batch_done))); });
}

Status DeviceEvaluation::score(const EvaluationWindows& windows, size_t first, std::span<Target> targets) {
  return guarded_status([&] {
    Device& device = card_.device;
    const auto began = Clock::now();
    const size_t count = targets.size(), vocabulary = passes_[0]->head.vocabulary();
    const size_t block = std::clamp<size_t>(logit_bytes_ / (vocabulary * sizeof(float)), 1, count);
    std::vector<uint32_t> rows(count), next(count);
    for (size_t i = 0; i < count; ++i) {
      rows[i] = uint32_t(windows.row(first + i));
      next[i] = windows.target(first + i);
    }
    Array<uint32_t> next_there(device, count, "the targets");
    next_there.upload(next);
    device.stream().wait();  // the host's may go
    Array<TargetOnCard> measured(device, count, "the targets");
    const bool beside = passes_.size() > 1;
    DeviceMatrix hidden[2], logits[2];
    for (size_t i = 0; i < passes_.size(); ++i) {
      const auto from = Clock::now();
      hidden[i] = DeviceMatrix(device, count, passes_[i]->activations.hidden(), "the head");
      passes_[i]->activations.gather(card_, rows, hidden[i].view());
      logits[i] = DeviceMatrix(device, block, vocabulary, "the logits");
      if (beside) passes_[i]->seconds += since(from);
    }
    for (size_t at = 0; at < count; at += block) {
      const size_t some = std::min(block, count - at);
      DeviceView<float> made[2];
      for (size_t i = 0; i < passes_.size(); ++i) {
        const auto from = Clock::now();
        made[i] = logits[i].view().block(0, 0, some, vocabulary);
        passes_[i]->head.logits(card_, passes_[i]->room,
                                hidden[i].view().block(at, 0, some, hidden[i].columns()), made[i]);
        if (!beside) continue;
        device.stream().wait();  // so that each one's time is known
        passes_[i]->seconds += since(from);
      }
      if (beside)
        compare_targets(device, made[0], made[1], next_there.data() + at, measured.data() + at);
      else
        losses(device, made[0], next_there.data() + at, measured.data() + at);
    }
    const auto got = measured.download();
    for (size_t i = 0; i < count; ++i)
      targets[i] = {got[i].loss, got[i].reference_loss, got[i].kld, got[i].same_top != 0};
    if (!beside) passes_[0]->seconds += since(began);
  });
}

double DeviceEvaluation::seconds(size_t which) const { return passes_[which]->seconds; }

Result<Evaluation> evaluate(Card card, const Model& model, const Model* reference,
                            std::span<const uint32_t> tokens, const EvaluationOptions& options,
                            ThreadPool& pool) {
  DeviceEvaluation compute(card, reference ? 2 : 1, options, pool);
  return signum::evaluate(model, reference, tokens, options, compute);
}

Result<Matrix> logits(Card card, const Model& model, std::span<const uint32_t> tokens, ThreadPool& pool) {
  SIGNUM_TRY(check_sequence(model, tokens));
  return guarded([&] {
    auto activations =
        DeviceActivations::embedded(card, model, tokens, tokens.size(), ActivationPlace::Device, {}, pool);
    through_layers(
        card, model, activations, [] {}, pool);
    const DeviceHead head = DeviceHead::load(card, model, pool);
    DeviceMatrix logits(card.device, tokens.size(), head.vocabulary(), "the logits");
    BatchStream whole(activations, BatchStream::Read);
    whole.next();
    EndsRoom room;
    head.logits(card, room, whole.view(), logits.view());
    whole.finish();
    return logits.download(card.device);
  });
}

}  // namespace signum::cuda
