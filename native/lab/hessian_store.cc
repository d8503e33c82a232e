#include "lab/hessian_store.h"

#include <cstring>
#include <filesystem>
#include <map>

#include "file/safetensors.h"
#include "math/linear_algebra.h"
#include "run/fingerprint.h"

namespace signum {
namespace {

std::map<std::string, std::string> metadata() {
  return {{"signum_hessian", "1"},
          {"program", program_name()},
          {"blas", blas_core_name()},
          {"simd", simd_target_name()}};
}

}  // namespace

std::string HessianStore::path(size_t layer, LinearInput input) const {
  return *folder_ + "/" + std::to_string(layer) + "-" + std::to_string(size_t(input)) + ".safetensors";
}

std::optional<Matrix> HessianStore::find(size_t layer, LinearInput input, size_t width) const {
  std::error_code failed;
  if (!folder_ || !std::filesystem::exists(path(layer, input), failed)) return std::nullopt;
  const auto file = SafetensorsFile::open(path(layer, input));
  if (!file.ok() || file.value()->metadata() != metadata()) return std::nullopt;
  const TensorView* stored = file.value()->find("hessian");
  if (!stored || stored->dtype != DType::F32 || stored->shape != std::vector<size_t>{width, width})
    return std::nullopt;
  Matrix hessian = Matrix::uninitialized(width, width);
  std::memcpy(hessian.data(), stored->bytes.data(), stored->bytes.size());
  // Who cleans up removes those that were not used for long.
  std::filesystem::last_write_time(path(layer, input), std::filesystem::file_time_type::clock::now(), failed);
  return hessian;
}

Status HessianStore::keep(size_t layer, LinearInput input, const Matrix& hessian) const {
  if (!folder_) return {};
  std::error_code failed;
  std::filesystem::create_directories(*folder_, failed);
  if (failed) return Error{"write_failed", "The folder " + *folder_ + " cannot be made.", failed.message()};
  return write_safetensors(
      path(layer, input),
      {{"hessian",
        DType::F32,
        {hessian.rows(), hessian.columns()},
        {reinterpret_cast<const uint8_t*>(hessian.data()), hessian.size() * sizeof(float)}}},
      metadata(), false);
}

}  // namespace signum
