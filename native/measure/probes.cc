#include "measure/probes.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/pool.h"
#include "evaluate/comparison.h"
#include "model/ends.h"

namespace signum {
namespace {

// Rows whose logits exist at once, of two models.
constexpr size_t kBlockRows = 256;

}  // namespace

uint64_t Probes::bytes(const Model& model, size_t tokens) {
  return uint64_t(model.linears().size() + 1) * tokens * model.config().hidden * sizeof(float);
}

Result<Probes> Probes::start(const Model& model, std::span<const uint32_t> tokens, size_t length,
                             const ActivationLimit& limit, ThreadPool& pool) {
  // All streams in memory, or every one in a file.
  const bool fits = bytes(model, tokens.size()) <= limit.memory_bytes;
  const ActivationLimit each{fits ? std::numeric_limits<size_t>::max() : 0, limit.folder};
  SIGNUM_TAKE(Activations original, Activations::embedded(model, tokens, length, each, pool));
  return Probes(std::move(original), each);
}

size_t Probes::passes(size_t linears) const {
  return (streams_.size() + linears + 1) * original_.sequences();
}

Status Probes::pass(DecoderLayer& layer, std::vector<Matrix>& decoded, ForwardBuffers& buffers,
                    ThreadPool& pool, const std::function<Status(size_t)>& progress) {
  size_t done = 0;
  const auto move = [&](Activations& stream) -> Status {
    SIGNUM_TRY(advance(layer, stream, buffers, pool));
    return progress(done += stream.sequences());
  };
  for (Activations& stream : streams_) SIGNUM_TRY(move(stream));
  for (size_t i = 0; i < decoded.size(); ++i) {
    SIGNUM_TAKE(Activations stream,
                Activations::create(original_.sequences(), original_.length(), original_.hidden(), limit_));
    const ConstView inputs = std::as_const(original_).batch(0, original_.sequences());
    std::memcpy(stream.batch(0, stream.sequences()).data, inputs.data,
                inputs.rows * inputs.columns * sizeof(float));
    Matrix weight = layer.take(i);
    layer.replace(i, std::move(decoded[i]));
    const Status moved = move(stream);
    layer.take(i);
    layer.replace(i, std::move(weight));
    SIGNUM_TRY(moved);
    streams_.push_back(std::move(stream));
  }
  return move(original_);
}

Result<std::vector<Estimate>> Probes::divergences(const Model& model, ThreadPool& pool,
                                                  const std::function<Status(size_t)>& progress) const {
  SIGNUM_TAKE(const Head head, Head::load(model, pool));
  Matrix logits(kBlockRows, head.vocabulary()), original(kBlockRows, head.vocabulary());
  std::vector<std::vector<double>> values(streams_.size(), std::vector<double>(tokens()));
  for (size_t first = 0; first < tokens(); first += kBlockRows) {
    const size_t rows = std::min(kBlockRows, tokens() - first);
    const auto predict = [&](const Activations& stream, Matrix& out) {
      head.logits(stream.batch(0, stream.sequences()).block(first, 0, rows, stream.hidden()),
                  out.view().block(0, 0, rows, out.columns()), pool);
    };
    predict(original_, original);
    for (size_t i = 0; i < streams_.size(); ++i) {
      predict(streams_[i], logits);
      pool.parallel_for(rows, [&](size_t row) {
        values[i][first + row] = divergence(logits.row(row), original.row(row), head.vocabulary());
      });
    }
    SIGNUM_TRY(progress(first + rows));
  }
  std::vector<Estimate> means;
  for (const auto& of_linear : values) means.push_back(estimate(of_linear));
  return means;
}

}  // namespace signum
