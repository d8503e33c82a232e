#include "run/layer_job.h"

#include <filesystem>
#include <optional>

#include "run/quantize_layer.h"

namespace signum {
namespace {

Result<Matrix> read_matrix(const SafetensorsFile& file, const std::string& name, size_t rows,
                           size_t columns) {
  const TensorView* tensor = file.find(name);
  if (!tensor) return Error{"tensor_missing", "The tensor " + name + " is missing.", file.path()};
  const bool fits = tensor->dtype == DType::F32 && tensor->shape.size() == 2 && tensor->elements() > 0 &&
                    (rows == 0 || tensor->shape[0] == rows) && (columns == 0 || tensor->shape[1] == columns);
  if (!fits)
    return Error{"tensor_shape",
                 "The tensor " + name + " must be F32 [" + (rows ? std::to_string(rows) : "rows") + ", " +
                     (columns ? std::to_string(columns) : "columns") + "].",
                 file.path()};
  Matrix matrix(tensor->shape[0], tensor->shape[1]);
  to_f32(tensor->dtype, tensor->bytes.data(), matrix.size(), matrix.data());
  return matrix;
}

}  // namespace

Status run_layer(const LayerJob& job, Observer& observer, ThreadPool& pool) {
  SIGNUM_TAKE(const Recipe recipe, recipe_from_json(job.recipe));
  SIGNUM_TAKE(Fingerprint fingerprint, fingerprint_of_program(job.recipe));
  Progress progress(observer);
  const std::filesystem::path input(job.input);
  SIGNUM_TAKE(const auto file, SafetensorsFile::open(job.input));
  SIGNUM_TAKE(fingerprint.source,
              source_json(input.parent_path().string(), {input.filename().string()}, progress));
  SIGNUM_TAKE(const Matrix weight, read_matrix(*file, "weight", 0, 0));
  const LinearInfo info{
      .name = "linear", .kind = "linear", .rows = weight.rows(), .columns = weight.columns()};

  std::optional<Matrix> hessian;
  std::optional<Factor> factor;
  if (needs_hessian(recipe) || file->find("hessian")) {
    SIGNUM_TAKE(hessian, read_matrix(*file, "hessian", info.columns, info.columns));
    for (size_t i = 0; i < info.columns; ++i)  // other programs' sums need not be symmetric to the last bit
      for (size_t j = 0; j < i; ++j)
        (*hessian)(i, j) = (*hessian)(j, i) = ((*hessian)(i, j) + (*hessian)(j, i)) * 0.5f;
  }
  if (needs_hessian(recipe)) {
    progress.begin(Phase::Factor, 1, "matrices");
    SIGNUM_TAKE(factor, factor_of(recipe, info, *hessian, observer, pool));
    SIGNUM_TRY(progress.check());
  }
  progress.begin(Phase::Quantize, 1, "linears");
  SIGNUM_TAKE(QuantizedLinear linear, quantize_linear(recipe, info, weight, factor ? &*factor : nullptr,
                                                      hessian ? &*hessian : nullptr, observer, pool));
  progress.end();
  SIGNUM_TRY(progress.check());
  SIGNUM_TRY(file->unchanged());

  std::vector<NamedLinear> linears;
  linears.push_back({info.name, std::move(linear.packed)});
  share_orders(linears);
  count_stored(linears[0], linear.report);
  const Matrix& decoded = linear.decoded;
  const TensorToWrite decoded_tensor{
      "decoded",
      DType::F32,
      {decoded.rows(), decoded.columns()},
      {reinterpret_cast<const uint8_t*>(decoded.data()), decoded.size() * sizeof(float)}};
  SIGNUM_TRY(write_shard(job.output, linears, {}, {decoded_tensor}, fingerprint));
  observer.linear(linear.report);
  return {};
}

}  // namespace signum
