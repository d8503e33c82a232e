// A model under llama.cpp's names: metadata and tensors.
#pragma once

#include <string>
#include <vector>

#include "export/gguf_family.h"
#include "export/gguf_file.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

// general.* and the architecture's keys. type: of most of the matrices.
void add_gguf_metadata(const Model& model, const GgufFamily& family, GgufType type, GgufMetadata& metadata);
// All tensors, in F32 as long as nobody gives them another type. They read from the model when they are
// written; model and pool must live until then. Errors of reading: weights_not_finite, packed_broken.
std::vector<GgufTensor> gguf_tensors(const Model& model, const GgufFamily& family, ThreadPool& pool);

}  // namespace signum
