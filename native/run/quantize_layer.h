// All linears of one decoder layer, quantized in their order; linears of one input share the factors that
// their recipes ask for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/hessian.h"
#include "methods/quantize.h"
#include "model/model.h"
#include "run/diagnostics.h"
#include "run/observer.h"
#include "run/progress.h"
#include "run/shard.h"

namespace signum {

class ThreadPool;

// Where a linear's weight comes from, by place in the layer, and who gets what its packed form decodes to.
struct LayerWeights {
  std::function<Result<Matrix>(size_t index)> take;
  std::function<void(size_t index, Matrix decoded)> give;
  // Where inputs are collected one by one, after the linears before them are quantized: called before the
  // first linear of an input; makes its Hessian. Else empty.
  std::function<Status(LinearInput input)> reach = {};
  // What the linear is to be fitted to in place of its weight; with reach only.
  std::function<Matrix(const LinearInfo& info, const Matrix& weight, double share, const Factor& factor)>
      target = {};
};

struct QuantizedLayer {
  std::vector<NamedLinear> linears;        // without those that are kept
  std::vector<LinearReport> reports;       // of all
  std::vector<HessianDiagonal> diagonals;  // of all; none without calibration
};

// What to do with one linear. recipe null: it is kept; stored then is its tensor.
struct LinearTask {
  const Recipe* recipe = nullptr;
  const TensorView* stored = nullptr;
};

// tasks: one for each of infos. hessians: null without calibration (the recipes must then need none); each is
// released after its last linear. Errors: those of factorize and quantize, with the linear named; cancelled.
Result<QuantizedLayer> quantize_layer(std::span<const LinearTask> tasks, std::span<const LinearInfo> infos,
                                      const LayerWeights& weights, LayerHessians* hessians,
                                      Progress& progress, Observer& observer, ThreadPool& pool);

// One linear, with its errors: that of the weights against the original ones, that of the outputs against
// `target`. The report lacks what only a shard tells: linear_bits and bytes. target: what is quantized,
// empty: the weight itself. power: as linear_errors() takes it, of the target.
struct QuantizedLinear {
  PackedLinear packed;
  Matrix decoded;
  LinearReport report;
};
Result<QuantizedLinear> quantize_linear(const Recipe& recipe, const LinearInfo& info, const Matrix& weight,
                                        const Matrix& target, const Factor* factor, const Matrix* hessian,
                                        Observer& observer, ThreadPool& pool,
                                        std::optional<double> power = {});
// Fills in bytes and linear_bits, after share_orders.
void count_stored(const NamedLinear& linear, LinearReport& report);

// factorize() with the linear named in errors, and its notes given as warnings.
Result<Factor> factor_of(const Recipe& recipe, const LinearInfo& info, const Matrix& hessian,
                         Observer& observer, ThreadPool& pool);

}  // namespace signum
