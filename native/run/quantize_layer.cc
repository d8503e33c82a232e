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
#include "run/cpu_compute.h"
#include "run/run_recipe.h"

namespace signum {
namespace {

Error named(Error error, const std::string& linear) {
  error.message = linear + ": " + error.message;
  return error;
}

void warn_of_factor(const std::vector<std::string>& notes, const std::string& linear, Observer& observer) {
  for (const std::string& note : notes) observer.warning("hessian", linear + ": " + note + ".");
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
  warn_of_factor(factor.value().notes, info.name, observer);
  return factor;
}

namespace {

LinearReport report_of(const Recipe& recipe, const LinearInfo& info, const PackedLinear& linear,
                       const LinearErrors& errors, bool calibrated,
                       std::chrono::steady_clock::time_point began) {
  LinearReport report{
      .name = info.name,
      .method = method_id(recipe.method),
      .layer = info.layer,
      .kind = info.kind,
      .rows = info.rows,
      .columns = info.columns,
      .nominal_bits = linear.nominal_bits(),
      .weight_error = errors.weight,
      .output_error = {},
      .salient_columns = {},
      .plane1_sparsity = {},
      .plane2_sparsity = {},
      .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count()};
  if (calibrated) report.output_error = errors.output;
  if (has_salient_columns(recipe.method)) report.salient_columns = linear.layout.salient_columns;
  if (recipe.method == Method::Fdb) {
    report.plane1_sparsity = sparsity(*linear.find("sign"), info.columns);
    report.plane2_sparsity = sparsity(*linear.find("plane2"), info.columns);
  }
  return report;
}

}  // namespace

Result<QuantizedLinear> quantize_linear(const Recipe& recipe, const LinearInfo& info, const Matrix& weight,
                                        const Factor* factor, const Matrix* hessian, Observer& observer,
                                        ThreadPool& pool, std::optional<double> power) {
  const auto began = std::chrono::steady_clock::now();
  auto done = quantize_on_cpu(recipe, weight, {}, factor, hessian, pool, power);
  if (!done.ok()) return named(done.error(), info.name);
  auto& [computed, decoded] = done.value();
  warn_of_scales(computed.packed, info.name, observer);
  LinearReport report = report_of(recipe, info, computed.packed, computed.errors, hessian != nullptr, began);
  return QuantizedLinear{std::move(computed.packed), std::move(decoded), std::move(report)};
}

void count_stored(const NamedLinear& linear, LinearReport& report) {
  report.bytes = linear.stored_bytes();
  report.linear_bits = 8.0 * double(report.bytes) / double(report.rows * report.columns);
}

namespace {

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
                                      LinearCompute& compute,
                                      const std::function<Status(LinearInput input)>& reach,
                                      Progress& progress, Observer& observer) {
  QuantizedLayer layer;
  size_t factored = 0;
  const bool calibrated = compute.calibrated();
  for (size_t i = 0; i < infos.size(); ++i) {
    const LinearInfo& info = infos[i];
    const Recipe* recipe = tasks[i].recipe;
    if (reach && (i == 0 || infos[i - 1].input != info.input)) SIGNUM_TRY(reach(info.input));
    SIGNUM_TRY(progress.check());
    if (calibrated) {
      SIGNUM_TAKE(std::vector<float> diagonal, compute.diagonal(info.input));
      layer.diagonals.push_back({info.name, std::move(diagonal)});
    }
    if (!recipe) {
      layer.reports.push_back(kept_report(info, *tasks[i].stored, calibrated));
    } else {
      if (needs_hessian(*recipe) && !calibrated)
        return Error{"internal", "This method needs calibration.", ""};
      if (needs_hessian(*recipe) && !compute.has_factor(factor_options(*recipe))) {
        progress.begin(Phase::Factor, factors_needed(tasks, infos), "matrices");
        const auto notes = compute.factor(info.input, factor_options(*recipe));
        if (!notes.ok()) return named(notes.error(), info.name);
        warn_of_factor(notes.value(), info.name, observer);
        progress.done(++factored);
        SIGNUM_TRY(progress.check());
      }
      progress.begin(Phase::Quantize, infos.size(), "linears");
      const auto began = std::chrono::steady_clock::now();
      auto done = compute.quantize(*recipe, info, i);
      if (!done.ok()) return named(done.error(), info.name);
      ComputedLinear& linear = done.value();
      warn_of_scales(linear.packed, info.name, observer);
      LinearReport report = report_of(*recipe, info, linear.packed, linear.errors, calibrated, began);
      layer.linears.push_back({info.name, std::move(linear.packed)});
      share_orders(layer.linears);
      count_stored(layer.linears.back(), report);
      layer.reports.push_back(std::move(report));
    }
    observer.linear(layer.reports.back());
    if (i + 1 == infos.size() || infos[i + 1].input != info.input) compute.leave(info.input);
    progress.done(i + 1);
    SIGNUM_TRY(progress.check());
  }
  progress.end();
  return layer;
}

}  // namespace signum
