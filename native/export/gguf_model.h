// A model as llama.cpp knows its family: names, metadata, and what its tensors hold that the folder's do not.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "export/gguf_file.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

// llama.cpp's name of the family: "llama". Error export_unsupported: it does not know the family, or not with
// this configuration.
Result<std::string> gguf_architecture(const Model& model);
// general.* and the architecture's keys. type: of the matrices.
void add_gguf_metadata(const Model& model, GgufType type, GgufMetadata& metadata);
// All tensors, matrices in this type, vectors in F32. They read from the model when they are written; model
// and pool must live until then. Errors of reading: weights_not_finite, packed_broken.
std::vector<GgufTensor> gguf_tensors(const Model& model, GgufType type, ThreadPool& pool);

}  // namespace signum
