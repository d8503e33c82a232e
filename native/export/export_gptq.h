// A run of rtn or gptq as a folder in the GPTQ checkpoint format (gptq_linear.h).
#pragma once

#include <cstdint>
#include <string>

#include "export/model_folder.h"
#include "model/model.h"

namespace signum {

class ThreadPool;

struct GptqOptions {
  uint64_t shard_bytes = 0;  // write_model_folder
};

// Quantized linears keep their codes, zeros, scales and order; all else is written as F16. config.json gets
// `quantization_config` and the type float16, quantize_config.json is new, the tokenizer's files are copied
// byte for byte. Read back, every linear decodes to what the packed one decodes to, bit for bit. Errors:
// export_unsupported (what the format has no form for), those of export_huggingface.
Result<ExportOutcome> export_gptq(const Model& model, const std::string& output, const GptqOptions& options,
                                  const ExportProgress& progress, ThreadPool& pool);

}  // namespace signum
