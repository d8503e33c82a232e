#include "run/diagnostics.h"

#include <cstdio>

#include "file/safetensors.h"

namespace signum {
namespace {

constexpr uint64_t kHeader = uint64_t(16) << 10;

}  // namespace

std::vector<float> diagonal_of(const Matrix& hessian) {
  std::vector<float> values(hessian.rows());
  for (size_t j = 0; j < values.size(); ++j) values[j] = hessian(j, j);
  return values;
}

std::string diagnostics_name(size_t layer) {
  char name[64];
  std::snprintf(name, sizeof name, "layer-%05zu.safetensors", layer);
  return name;
}

Status write_diagnostics(const std::string& path, const std::vector<HessianDiagonal>& diagonals,
                         const Fingerprint& fingerprint) {
  std::vector<TensorToWrite> tensors;
  for (const auto& [linear, values] : diagonals)
    tensors.push_back({linear + ".hessian_diagonal",
                       DType::F32,
                       {values.size()},
                       {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)}});
  return write_safetensors(path, std::move(tensors),
                           {{"signum_diagnostics", "1"},
                            {"program", fingerprint.program},
                            {"recipe", fingerprint.recipe},
                            {"calibration", fingerprint.calibration},
                            {"source", fingerprint.source}},
                           true);
}

uint64_t diagnostics_bytes(const Model& model, size_t first_layer) {
  uint64_t bytes = 0;
  for (size_t layer = first_layer; layer < model.config().layers; ++layer) {
    bytes += kHeader;
    for (const LinearInfo& linear : model.linears_of(layer)) bytes += linear.columns * sizeof(float);
  }
  return bytes;
}

}  // namespace signum
