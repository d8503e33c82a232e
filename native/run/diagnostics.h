// What a run learns of its layers and no packed model needs: kept beside packed/, to be looked at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "model/model.h"
#include "run/fingerprint.h"

namespace signum {

struct HessianDiagonal {
  std::string linear;
  std::vector<float> values;  // [columns], input columns; undamped
};

std::vector<float> diagonal_of(const Matrix& hessian);

// "layer-00012.safetensors" for layer 12.
std::string diagnostics_name(size_t layer);

// `P.hessian_diagonal` F32 [columns] for every linear P, under the fingerprint of the run. Durable when it
// returns. Errors: those of write_safetensors.
Status write_diagnostics(const std::string& path, const std::vector<HessianDiagonal>& diagonals,
                         const Fingerprint& fingerprint);

// Of the layers from first_layer on, headers with room to spare.
uint64_t diagnostics_bytes(const Model& model, size_t first_layer);

}  // namespace signum
