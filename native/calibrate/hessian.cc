#include "calibrate/hessian.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>

#include "base/pool.h"
#include "math/finite.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

Error not_finite(size_t layer, const std::string& where) {
  return {"calibration_not_finite",
          "NaN or infinity appeared in the " + where + " of decoder layer " + std::to_string(layer) + ".",
          ""};
}

}  // namespace

Error input_not_finite(const ModelConfig& config, size_t layer, LinearInput input) {
  std::string kinds;
  for (const LinearRule& rule : config.architecture->linears)
    if (rule.input == input) kinds += (kinds.empty() ? "" : ", ") + std::string(rule.kind);
  return not_finite(layer, "input of " + kinds);
}

Error output_not_finite(size_t layer) { return not_finite(layer, "output"); }

Result<LayerHessians> collect_hessians(const DecoderLayer& layer, const Activations& inputs,
                                       ForwardBuffers& buffers, ThreadPool& pool,
                                       const SequenceProgress& progress) {
  LayerHessians hessians;
  const InputSink add = [&](LinearInput input, ConstView x, ConstView) {
    Matrix& sum = hessians.of(input);
    if (sum.size() == 0) sum = Matrix(x.columns, x.columns);
    add_gram(1.0f, x, sum.view(), pool);
  };
  const size_t step = sequences_per_batch(inputs.length());
  for (size_t first = 0; first < inputs.sequences(); first += step) {
    const size_t count = std::min(step, inputs.sequences() - first);
    layer.forward(inputs.batch(first, count), inputs.length(), {}, buffers, pool, add);
    if (progress) progress(first + count, inputs.sequences());
  }
  const float scale = 2.0f / float(inputs.sequences());
  for (size_t which = 0; which < kLinearInputs; ++which) {
    Matrix& sum = hessians.by_input[which];
    std::atomic<bool> finite{true};
    pool.parallel_for(sum.rows(), [&](size_t i) {
      for (size_t j = 0; j < sum.columns(); ++j) sum(i, j) *= scale;
      if (!all_finite(sum.row(i), sum.columns())) finite = false;
    });
    if (!finite) return input_not_finite(layer.config(), layer.layer(), LinearInput(which));
  }
  return hessians;
}

Status advance(const DecoderLayer& layer, Activations& activations, ForwardBuffers& buffers, ThreadPool& pool,
               const SequenceProgress& progress) {
  const size_t step = sequences_per_batch(activations.length());
  for (size_t first = 0; first < activations.sequences(); first += step) {
    const size_t count = std::min(step, activations.sequences() - first);
    const View batch = activations.batch(first, count);
    layer.forward(batch, activations.length(), batch, buffers, pool);
    if (!all_finite(batch, pool)) return output_not_finite(layer.layer());
    if (progress) progress(first + count, activations.sequences());
  }
  return {};
}

}  // namespace signum
