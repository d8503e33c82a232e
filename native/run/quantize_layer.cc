#include "run/quantize_layer.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "base/half.h"
#include "run/run_recipe.h"

namespace signum {
namespace {

Error named(Error error, const std::string& linear) {
  error.message = linear + ": " + error.message;
  return error;
}

// F16 scales below 2^-14 keep fewer bits (ARCHITECTURE.md, decision 14). Those above 65504 were refused by
// quantize().
void warn_of_scales(const PackedLinear& linear, const std::string& name, Observer& observer) {
  size_t small = 0;
  for (const PackedTensor& tensor : linear.tensors) {
    // A mean near zero is added to a larger scale; its error is never above 2^-25.
    if (tensor.dtype != DType::F16 || tensor.role == "mean") continue;
    for (size_t at = 0; at + 1 < tensor.bytes.size(); at += 2) {
      const unsigned magnitude = (tensor.bytes[at] | unsigned(tensor.bytes[at + 1]) << 8) & 0x7FFF;
      small += magnitude > 0 && magnitude < 0x0400;
    }
  }
  if (small > 0)
    observer.warning(
        "scales_small",
        name + ": " + std::to_string(small) +
            " scales lie in F16's subnormal range and lose precision; scale_type bf16 or f32 keeps it.");
}

// Share of zeros among the bits of a plane [rows, columns]; the bits behind a row's last column are 0.
double sparsity(const PackedTensor& plane, size_t columns) {
  size_t ones = 0;
  for (const uint8_t byte : plane.bytes) ones += size_t(std::popcount(byte));
  return 1 - double(ones) / double(plane.shape[0] * columns);
}

}  // namespace

Result<Factor> factor_of(const Recipe& recipe, const LinearInfo& info, const Matrix& hessian,
                         Observer& observer, ThreadPool& pool) {
  auto factor = factorize(hessian, factor_options(recipe), pool);
  if (!factor.ok()) return named(factor.error(), info.name);
  for (const std::string& note : factor.value().notes)
    observer.warning("hessian", info.name + ": " + note + ".");
  return factor;
}

Result<QuantizedLinear> quantize_linear(const Recipe& recipe, const LinearInfo& info, const Matrix& weight,
                                        const Matrix& target, const Factor* factor, const Matrix* hessian,
                                        Observer& observer, ThreadPool& pool, std::optional<double> power) {
  const auto began = std::chrono::steady_clock::now();
  const Matrix& wanted = target.size() > 0 ? target : weight;
  auto packed = quantize(recipe, wanted.clone(), factor, pool);
  if (!packed.ok()) return named(packed.error(), info.name);
  auto decoded = decode(packed.value(), pool);
  if (!decoded.ok()) return named(decoded.error(), info.name);
  warn_of_scales(packed.value(), info.name, observer);
  const LinearErrors errors = linear_errors(wanted, decoded.value(), hessian, pool, power);
  const PackedLinear& linear = packed.value();
  LinearReport report{
      .name = info.name,
      .method = method_id(recipe.method),
      .layer = info.layer,
      .kind = info.kind,
      .rows = info.rows,
      .columns = info.columns,
      .nominal_bits = linear.nominal_bits(),
      .weight_error =
          target.size() > 0 ? linear_errors(weight, decoded.value(), nullptr, pool).weight : errors.weight,
      .output_error = {},
      .salient_columns = {},
      .plane1_sparsity = {},
      .plane2_sparsity = {},
      .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count()};
  if (hessian) report.output_error = errors.output;
  if (has_salient_columns(recipe.method)) report.salient_columns = linear.layout.salient_columns;
  if (recipe.method == Method::Fdb) {
    report.plane1_sparsity = sparsity(*linear.find("sign"), info.columns);
    report.plane2_sparsity = sparsity(*linear.find("plane2"), info.columns);
  }
  return QuantizedLinear{std::move(packed).value(), std::move(decoded).value(), std::move(report)};
}

void count_stored(const NamedLinear& linear, LinearReport& report) {
  report.bytes = linear.stored_bytes();
  report.linear_bits = 8.0 * double(report.bytes) / double(report.rows * report.columns);
}

namespace {

// The factors of one input, one for each way in which the recipes of its linears want it.
class Factors {
 public:
  const Factor* find(const FactorOptions& options) const {
    for (const auto& [its, factor] : made_)
      if (its == options) return factor.get();
    return nullptr;
  }
  const Factor* add(const FactorOptions& options, Factor factor) {
    return made_.emplace_back(options, std::make_unique<Factor>(std::move(factor))).second.get();
  }
  void clear() { made_.clear(); }

 private:
  std::vector<std::pair<FactorOptions, std::unique_ptr<Factor>>> made_;
};

// The linear stays as it is stored: nothing is lost, and every one of its bits counts.
LinearReport kept_report(const LinearInfo& info, const TensorView& stored, bool calibrated) {
  const double bits = 8.0 * double(dtype_bytes(stored.dtype));
  LinearReport report{.name = info.name,
                      .method = kKeep,
                      .layer = info.layer,
                      .kind = info.kind,
                      .rows = info.rows,
                      .columns = info.columns,
                      .nominal_bits = bits,
                      .linear_bits = bits,
                      .bytes = stored.bytes.size(),
                      .output_error = {},
                      .salient_columns = {},
                      .plane1_sparsity = {},
                      .plane2_sparsity = {}};
  if (calibrated) report.output_error = 0;
  return report;
}

size_t factors_needed(std::span<const LinearTask> tasks, std::span<const LinearInfo> infos) {
  std::vector<const Recipe*> recipes;
  for (const LinearTask& task : tasks) recipes.push_back(task.recipe);
  const auto factors = factors_by_input(recipes, infos);
  return std::accumulate(factors.begin(), factors.end(), size_t(0));
}

}  // namespace

Result<QuantizedLayer> quantize_layer(std::span<const LinearTask> tasks, std::span<const LinearInfo> infos,
                                      const LayerWeights& weights, LayerHessians* hessians,
                                      Progress& progress, Observer& observer, ThreadPool& pool) {
  QuantizedLayer layer;
  Factors factors;
  size_t factored = 0;
  for (size_t i = 0; i < infos.size(); ++i) {
    const LinearInfo& info = infos[i];
    const Recipe* recipe = tasks[i].recipe;
    Matrix* hessian = hessians ? &hessians->of(info.input) : nullptr;
    const bool new_input = i == 0 || infos[i - 1].input != info.input;
    if (new_input) factors.clear();
    if (new_input && weights.reach) SIGNUM_TRY(weights.reach(info.input));
    SIGNUM_TRY(progress.check());
    if (hessian) layer.diagonals.push_back({info.name, diagonal_of(*hessian)});
    if (!recipe) {
      layer.reports.push_back(kept_report(info, *tasks[i].stored, hessian != nullptr));
    } else {
      const Factor* factor = nullptr;
      if (needs_hessian(*recipe)) {
        if (!hessian) return Error{"internal", "This method needs calibration.", ""};
        factor = factors.find(factor_options(*recipe));
        if (!factor) {
          progress.begin(Phase::Factor, factors_needed(tasks, infos), "matrices");
          SIGNUM_TAKE(Factor made, factor_of(*recipe, info, *hessian, observer, pool));
          factor = factors.add(factor_options(*recipe), std::move(made));
          progress.done(++factored);
          SIGNUM_TRY(progress.check());
        }
      }
      progress.begin(Phase::Quantize, infos.size(), "linears");
      SIGNUM_TAKE(Matrix weight, weights.take(i));
      Matrix target;
      if (weights.target && factor && recipe->correction > 0)
        target = weights.target(info, weight, recipe->correction, *factor);
      SIGNUM_TAKE(QuantizedLinear linear,
                  quantize_linear(*recipe, info, weight, target, factor, hessian, observer, pool));
      weights.give(i, std::move(linear.decoded));
      layer.linears.push_back({info.name, std::move(linear.packed)});
      share_orders(layer.linears);
      count_stored(layer.linears.back(), linear.report);
      layer.reports.push_back(std::move(linear.report));
    }
    observer.linear(layer.reports.back());
    if (hessian && (i + 1 == infos.size() || infos[i + 1].input != info.input)) *hessian = Matrix();
    progress.done(i + 1);
    SIGNUM_TRY(progress.check());
  }
  progress.end();
  return layer;
}

}  // namespace signum
