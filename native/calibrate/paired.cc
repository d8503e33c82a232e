#include "calibrate/paired.h"

#include <algorithm>

#include "base/pool.h"
#include "math/finite.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

constexpr size_t kBandRows = 64;

void subtract(ConstView y, View x, ThreadPool& pool) {  // x -= y
  pool.parallel_for((x.rows + kBandRows - 1) / kBandRows, [&](size_t band) {
    for (size_t r = band * kBandRows; r < std::min(x.rows, (band + 1) * kBandRows); ++r)
      for (size_t j = 0; j < x.columns; ++j) x(r, j) -= y(r, j);
  });
}

// What one batch needs of a layer: its input, and the residual stream that the input's linears add to (empty:
// they do not add as they are).
struct Seen {
  Matrix input, stream;
};

Seen look(const DecoderLayer& layer, const Activations& inputs, size_t first, size_t count, LinearInput input,
          ForwardBuffers& buffers, ThreadPool& pool) {
  Seen seen;
  layer.forward(
      inputs.batch(first, count), inputs.length(), {}, buffers, pool,
      [&](LinearInput which, ConstView x, ConstView stream) {
        if (which != input) return;
        seen.input = Matrix::copy_of(x);
        if (stream.data) seen.stream = Matrix::copy_of(stream);
      },
      input);
  return seen;
}

void scale(float factor, Matrix& m, ThreadPool& pool) {
  pool.parallel_for(m.rows(), [&](size_t i) {
    for (size_t j = 0; j < m.columns(); ++j) m(i, j) *= factor;
  });
}

}  // namespace

Result<PairedInput> collect_paired(const PairedLayer& layer, LinearInput input, ForwardBuffers& buffers,
                                   ThreadPool& pool, const SequenceProgress& progress) {
  PairedInput sums;
  const Activations& inputs = layer.quantized_inputs;
  const size_t step = sequences_per_batch(inputs.length());
  for (size_t first = 0; first < inputs.sequences(); first += step) {
    const size_t count = std::min(step, inputs.sequences() - first);
    Seen is = look(layer.quantized, inputs, first, count, input, buffers, pool);
    Seen was = look(layer.original, layer.original_inputs, first, count, input, buffers, pool);
    const size_t width = is.input.columns();
    if (sums.hessian.size() == 0) {
      sums.hessian = Matrix(width, width);
      sums.cross = Matrix(width, width);
      if (is.stream.size() > 0) sums.residual = Matrix(is.stream.columns(), width);
    }
    add_gram(1.0f, is.input.view(), sums.hessian.view(), pool);
    subtract(is.input.view(), was.input.view(), pool);
    add_products(1.0f, was.input.view(), is.input.view(), sums.cross.view(), pool);
    if (is.stream.size() > 0) {
      subtract(is.stream.view(), was.stream.view(), pool);
      add_products(1.0f, was.stream.view(), is.input.view(), sums.residual.view(), pool);
    }
    if (progress) progress(first + count, inputs.sequences());
  }
  const float factor = 2.0f / float(inputs.sequences());
  for (Matrix* sum : {&sums.hessian, &sums.cross, &sums.residual}) {
    scale(factor, *sum, pool);
    if (!all_finite(sum->view(), pool))
      return input_not_finite(layer.quantized.config(), layer.quantized.layer(), input);
  }
  return sums;
}

}  // namespace signum
