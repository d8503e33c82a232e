#include "export/export_huggingface.h"

#include <nlohmann/json.hpp>

#include "export/weight_tensors.h"

namespace signum {
namespace {

// As transformers calls them.
const char* torch_name(DType type) {
  return type == DType::F32 ? "float32" : type == DType::F16 ? "float16" : "bfloat16";
}

// config.json stays as it is, so it may name another type than the weights now have.
void note_type(const std::string& text, DType type, std::vector<std::string>& notes) {
  const auto config = nlohmann::json::parse(text, nullptr, false);
  for (const char* key : {"torch_dtype", "dtype"}) {
    const auto found = config.find(key);
    if (found == config.end() || !found->is_string() || *found == torch_name(type)) continue;
    notes.push_back("config.json says " + std::string(key) + " " + found->get<std::string>() +
                    " and is copied as it is; the weights are " + torch_name(type) + ".");
    return;
  }
}

}  // namespace

Result<ExportOutcome> export_huggingface(const Model& model, const std::string& output,
                                         const HuggingFaceOptions& options, const ExportProgress& progress,
                                         ThreadPool& pool) {
  std::vector<FolderTensor> tensors;
  for (const WeightTensor& tensor : weight_tensors(model, pool))
    tensors.push_back(stored_as(tensor, options.type));
  SIGNUM_TAKE(const auto texts, files_of(model));
  SIGNUM_TAKE(ExportOutcome outcome,
              write_model_folder(model, output, std::move(tensors), options.shard_bytes, texts, progress));
  note_type(texts.at("config.json"), options.type, outcome.notes);
  return outcome;
}

}  // namespace signum
