// All linears of one decoder layer, quantized in their order; linears of one input share the factors that
// their recipes ask for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "methods/quantize.h"
#include "model/model.h"
#include "run/diagnostics.h"
#include "run/layer_compute.h"
#include "run/observer.h"
#include "run/progress.h"
#include "run/shard.h"

namespace signum {

class ThreadPool;

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

// tasks: one for each of infos; without calibration the recipes must need none. reach, where there is one, is
// called before the first linear of an input and makes its Hessian. Errors: those of the back end, with the
// linear named; cancelled.
Result<QuantizedLayer> quantize_layer(std::span<const LinearTask> tasks, std::span<const LinearInfo> infos,
                                      LinearCompute& compute,
                                      const std::function<Status(LinearInput input)>& reach,
                                      Progress& progress, Observer& observer);

// One linear on the CPU, with its errors. The report lacks what only a shard tells: linear_bits and bytes.
// power: as linear_errors() takes it.
struct QuantizedLinear {
  PackedLinear packed;
  Matrix decoded;
  LinearReport report;
};
Result<QuantizedLinear> quantize_linear(const Recipe& recipe, const LinearInfo& info, const Matrix& weight,
                                        const Factor* factor, const Matrix* hessian, Observer& observer,
                                        ThreadPool& pool, std::optional<double> power = {});
// Fills in bytes and linear_bits, after share_orders.
void count_stored(const NamedLinear& linear, LinearReport& report);

// factorize() with the linear named in errors, and its notes given as warnings.
Result<Factor> factor_of(const Recipe& recipe, const LinearInfo& info, const Matrix& hessian,
                         Observer& observer, ThreadPool& pool);

}  // namespace signum
