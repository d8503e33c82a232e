// Folders of random models of a given shape, original or packed, that open and generate like any other.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace signum {
class ThreadPool;
}

namespace signum::bench {

// Of a LlamaForCausalLM without ties. As it is: TinyLlama's, 1.1 billion weights.
struct ModelShape {
  size_t hidden = 2048, intermediate = 5632, layers = 22, heads = 32, kv_heads = 4, vocabulary = 32000;
  size_t context = 2048;
};

// How its weights are stored.
struct ModelForm {
  std::string linears;  // "f16", or a layout of random_packed.h
  std::string tables;   // of embedding and head: "f16", "rtn8", "rtn4"; f16 where the linears are
};

// Writes config.json, one shard for every layer and one for the rest, and the index. The numbers mean
// nothing, but stay finite through all layers. signum-rc: with an order of the columns, shared as a run
// shares it. Errors: recipe_invalid (no such form), those of writing.
Status write_random_model(const std::string& folder, const ModelShape& shape, const ModelForm& form,
                          ThreadPool& pool);

}  // namespace signum::bench
