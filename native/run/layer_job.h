// The command `layer`: one matrix and its Hessian, the same path as in a run.
#pragma once

#include <string>

#include "base/error.h"
#include "run/observer.h"

namespace signum {

class ThreadPool;

struct LayerJob {
  std::string input;   // safetensors: weight [rows, columns], hessian [columns, columns]; F32
  std::string output;  // safetensors: linear.<role>, decoded
  std::string recipe;  // JSON text
};

// Errors: tensor_missing, tensor_shape, those of quantizing and of files.
Status run_layer(const LayerJob& job, Observer& observer, ThreadPool& pool);

}  // namespace signum
