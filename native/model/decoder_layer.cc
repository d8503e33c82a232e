#include "model/decoder_layer.h"

#include <algorithm>
#include <cstring>

#include "base/pool.h"
#include "math/linear_algebra.h"
#include "model/attention.h"
#include "model/rotary.h"
#include "model/row_operations.h"

namespace signum {
namespace {

constexpr size_t kBatchTokens = 4096;  // large enough for products at full speed on many cores
constexpr size_t kBandRows = 16;       // rows of one task of the loops between products

// Calls row(i) for all rows, in bands.
template <class Row>
void for_rows(size_t rows, ThreadPool& pool, const Row& row) {
  pool.parallel_for((rows + kBandRows - 1) / kBandRows, [&](size_t band) {
    for (size_t i = band * kBandRows; i < std::min(rows, (band + 1) * kBandRows); ++i) row(i);
  });
}

void copy_rows(ConstView from, View to, ThreadPool& pool) {
  if (from.data == to.data) return;
  for_rows(from.rows, pool,
           [&](size_t i) { std::memcpy(to.row(i), from.row(i), from.columns * sizeof(float)); });
}

void norm_rows(ConstView x, const Matrix& gain, double epsilon, View out, ThreadPool& pool) {
  for_rows(x.rows, pool, [&](size_t i) { rms_norm(x.row(i), gain.data(), epsilon, out.row(i), x.columns); });
}

}  // namespace

struct ForwardBuffers::Arrays {
  // A [rows, columns] view of an array that grows.
  struct Growing {
    std::unique_ptr<float[], AlignedFree> data;
    size_t capacity = 0;

    View view(size_t rows, size_t columns) {
      if (rows * columns > capacity) {
        data.reset();
        data = aligned_array<float>(rows * columns);
        capacity = rows * columns;
      }
      return {data.get(), rows, columns, columns};
    }
  };
  Growing residual, normed, qkv, attended, gate, up;

  RotaryTable rotary;
  size_t rotary_length = 0, rotary_dim = 0;
  double rotary_theta = 0;

  void need_rotary(size_t length, size_t dim, double theta) {
    if (rotary_length >= length && rotary_dim == dim && rotary_theta == theta) return;
    rotary = rotary_table(length, dim, theta);
    rotary_length = length;
    rotary_dim = dim;
    rotary_theta = theta;
  }
};

ForwardBuffers::ForwardBuffers() : arrays_(std::make_unique<Arrays>()) {}
ForwardBuffers::~ForwardBuffers() = default;
ForwardBuffers::ForwardBuffers(ForwardBuffers&&) noexcept = default;
ForwardBuffers& ForwardBuffers::operator=(ForwardBuffers&&) noexcept = default;

size_t sequences_per_batch(size_t length) {
  return std::max<size_t>(1, kBatchTokens / std::max<size_t>(1, length));
}

Result<DecoderLayer> DecoderLayer::load(const Model& model, size_t layer, ThreadPool& pool) {
  DecoderLayer loaded;
  loaded.config_ = model.config();
  loaded.layer_ = layer;
  for (const LinearInfo& linear : model.linears_of(layer)) {
    SIGNUM_TAKE(Matrix weight, model.weight(linear, pool));
    loaded.weights_.push_back(std::move(weight));
  }
  const Architecture& architecture = *model.config().architecture;
  SIGNUM_TAKE(loaded.attention_norm_, model.norm(layer, architecture.attention_norm, pool));
  SIGNUM_TAKE(loaded.mlp_norm_, model.norm(layer, architecture.mlp_norm, pool));
  return loaded;
}

void DecoderLayer::replace(size_t index, Matrix weight) { weights_[index] = std::move(weight); }
Matrix DecoderLayer::take(size_t index) { return std::move(weights_[index]); }

const Matrix& DecoderLayer::of(LinearRole role) const {
  size_t index = 0;
  while (config_.architecture->linears[index].role != role) ++index;
  return weights_[index];
}

void DecoderLayer::forward(ConstView input, size_t length, View output, ForwardBuffers& buffers,
                           ThreadPool& pool, const InputSink& sink) const {
  ForwardBuffers::Arrays& arrays = *buffers.arrays_;
  const size_t tokens = input.rows, dim = config_.head_dim;
  const size_t q_width = config_.heads * dim, kv_width = config_.kv_heads * dim;
  const auto give = [&](LinearInput which, ConstView x) {
    if (sink) sink(which, x);
  };

  // x + attention(norm(x))
  const View residual = output.data ? output : arrays.residual.view(tokens, config_.hidden);
  const View normed = arrays.normed.view(tokens, config_.hidden);
  norm_rows(input, attention_norm_, config_.norm_epsilon, normed, pool);
  give(LinearInput::Attention, normed);

  const View qkv = arrays.qkv.view(tokens, q_width + 2 * kv_width);
  const View q = qkv.block(0, 0, tokens, q_width), k = qkv.block(0, q_width, tokens, kv_width);
  const View v = qkv.block(0, q_width + kv_width, tokens, kv_width);
  gemm_transposed(1.0f, normed, of(LinearRole::Query).view(), 0.0f, q, pool);
  gemm_transposed(1.0f, normed, of(LinearRole::Key).view(), 0.0f, k, pool);
  gemm_transposed(1.0f, normed, of(LinearRole::Value).view(), 0.0f, v, pool);

  arrays.need_rotary(length, dim, config_.rope_theta);
  for_rows(tokens, pool, [&](size_t i) {
    const float* cosine = arrays.rotary.cosine.row(i % length);
    const float* sine = arrays.rotary.sine.row(i % length);
    for (size_t head = 0; head < config_.heads; ++head)
      rotate_halves(q.row(i) + head * dim, cosine, sine, dim / 2);
    for (size_t head = 0; head < config_.kv_heads; ++head)
      rotate_halves(k.row(i) + head * dim, cosine, sine, dim / 2);
  });

  const View attended = arrays.attended.view(tokens, q_width);
  causal_attention({length, config_.heads, config_.kv_heads, dim}, q, k, v, attended, pool);
  give(LinearInput::AttentionOutput, attended);
  copy_rows(input, residual, pool);
  gemm_transposed(1.0f, attended, of(LinearRole::Output).view(), 1.0f, residual, pool);

  // x + mlp(norm(x))
  norm_rows(residual, mlp_norm_, config_.norm_epsilon, normed, pool);
  give(LinearInput::Mlp, normed);
  const View gate = arrays.gate.view(tokens, config_.intermediate),
             up = arrays.up.view(tokens, config_.intermediate);
  gemm_transposed(1.0f, normed, of(LinearRole::Gate).view(), 0.0f, gate, pool);
  gemm_transposed(1.0f, normed, of(LinearRole::Up).view(), 0.0f, up, pool);
  for_rows(tokens, pool, [&](size_t i) { silu_multiply(gate.row(i), up.row(i), gate.row(i), gate.columns); });
  give(LinearInput::MlpHidden, gate);
  if (output.data) gemm_transposed(1.0f, gate, of(LinearRole::Down).view(), 1.0f, residual, pool);
}

}  // namespace signum
