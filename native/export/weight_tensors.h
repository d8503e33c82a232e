// A model's tensors under the names that transformers gives them, as F32 rows.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/matrix.h"
#include "export/model_folder.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

struct WeightTensor {
  std::string name;
  std::vector<size_t> shape;
  const LinearInfo* linear = nullptr;  // whose weight it is; null for the others
  // Gives all numbers in order, some rows at a time (a vector is one row). Errors: those of reading weights.
  std::function<Status(const std::function<Status(ConstView)>&)> rows;
};

// In the model's order: embedding, layer by layer, what follows the layers, head. A tied table is there once,
// under the embedding's name; what the architecture does not know is left out. Quantized linears and tables
// are what they decode to. Valid as long as model and pool are.
std::vector<WeightTensor> weight_tensors(const Model& model, ThreadPool& pool);

// The tensor in the bytes of a floating type, as a part of a folder; it counts as that type. Error
// export_unsupported (a number is too large for the type) besides those of `rows`.
FolderTensor stored_as(const WeightTensor& tensor, DType type);

}  // namespace signum
