#include "evaluate/cpu_evaluation.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/pool.h"
#include "model/decoder_layer.h"
#include "model/ends.h"
#include "model/row_operations.h"

namespace signum {
namespace {

// Rows whose logits exist at once: 128 KB each for a vocabulary of 32,000.
constexpr size_t kBlockRows = 256;

using Clock = std::chrono::steady_clock;
double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

// One of the two models on its way: the residual stream of all windows, then the head.
class CpuEvaluation::Pass {
 public:
  // Through all decoder layers.
  static Result<std::unique_ptr<Pass>> run(const Model& model, const EvaluationWindows& windows,
                                           const std::function<void()>& batch_done,
                                           const EvaluationOptions& options, ThreadPool& pool) {
    const auto began = Clock::now();
    SIGNUM_TAKE(Activations activations,
                Activations::embedded(model, windows.ids, windows.window, options.activations, pool));
    ForwardBuffers buffers;
    const size_t step = sequences_per_batch(windows.window);
    for (size_t index = 0; index < model.config().layers; ++index) {
      SIGNUM_TAKE(const DecoderLayer layer, DecoderLayer::load(model, index, pool, options.form));
      for (size_t first = 0; first < windows.count; first += step) {
        const View batch = activations.batch(first, std::min(step, windows.count - first));
        layer.forward(batch, windows.window, batch, buffers, pool);
        batch_done();
      }
    }
    SIGNUM_TAKE(Head head, Head::load(model, pool, options.form));
    return std::unique_ptr<Pass>(new Pass(std::move(activations), std::move(head), since(began)));
  }

  // Logits of the targets from `first` on; rows as many as targets.
  const Matrix& logits(const EvaluationWindows& windows, size_t first, size_t count, ThreadPool& pool) {
    const auto began = Clock::now();
    const ConstView hidden = std::as_const(activations_).batch(0, windows.count);
    if (rows_.rows() < count) {
      rows_ = Matrix(count, activations_.hidden());
      logits_ = Matrix(count, head_.vocabulary());
    }
    for (size_t i = 0; i < count; ++i)
      std::memcpy(rows_.row(i), hidden.row(windows.row(first + i)), hidden.columns * sizeof(float));
    head_.logits(rows_.view().block(0, 0, count, rows_.columns()),
                 logits_.view().block(0, 0, count, logits_.columns()), pool);
    seconds_ += since(began);
    return logits_;
  }
  double seconds() const { return seconds_; }

 private:
  Pass(Activations activations, Head head, double seconds)
      : activations_(std::move(activations)), head_(std::move(head)), seconds_(seconds) {}

  Activations activations_;
  Head head_;
  Matrix rows_;    // [targets, hidden]
  Matrix logits_;  // [targets, vocabulary]
  double seconds_;
};

CpuEvaluation::CpuEvaluation(const EvaluationOptions& options, ThreadPool& pool)
    : options_(options), pool_(pool) {}
CpuEvaluation::~CpuEvaluation() = default;

Status CpuEvaluation::run(const Model& model, const EvaluationWindows& windows,
                          const std::function<void()>& batch_done) {
  SIGNUM_TAKE(auto pass, Pass::run(model, windows, batch_done, options_, pool_));
  passes_.push_back(std::move(pass));
  return {};
}

Status CpuEvaluation::score(const EvaluationWindows& windows, size_t first, std::span<Target> targets) {
  for (size_t at = 0; at < targets.size(); at += kBlockRows)
    score_block(windows, first + at, targets.subspan(at, std::min(kBlockRows, targets.size() - at)));
  return {};
}

void CpuEvaluation::score_block(const EvaluationWindows& windows, size_t first, std::span<Target> targets) {
  const Matrix& logits = passes_[0]->logits(windows, first, targets.size(), pool_);
  const Matrix* base =
      passes_.size() > 1 ? &passes_[1]->logits(windows, first, targets.size(), pool_) : nullptr;
  pool_.parallel_for(targets.size(), [&](size_t i) {
    const uint32_t next = windows.target(first + i);
    if (base)
      targets[i] = compare_target(logits.row(i), base->row(i), logits.columns(), next);
    else
      targets[i].loss = log_sum_exp(logits.row(i), logits.columns()) - double(logits(i, next));
  });
}

double CpuEvaluation::seconds(size_t which) const { return passes_[which]->seconds(); }

}  // namespace signum
