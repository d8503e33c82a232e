#include "export/export_gguf.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "export/gguf_fit.h"
#include "export/gguf_model.h"
#include "export/gguf_vocabulary.h"

namespace signum {
namespace {

// The type that holds most numbers.
GgufType most_used(const std::vector<GgufTensor>& tensors) {
  std::map<GgufType, uint64_t> numbers;
  for (const GgufTensor& tensor : tensors) numbers[tensor.type] += tensor.elements();
  return std::ranges::max_element(numbers, {}, &std::pair<const GgufType, uint64_t>::second)->first;
}

}  // namespace

Result<ExportOutcome> export_gguf(const Model& model, const std::string& output, const GgufOptions& options,
                                  const ExportProgress& progress, ThreadPool& pool) {
  SIGNUM_TAKE(const GgufFamily* family, gguf_family(model.config()));
  SIGNUM_TAKE(const GgufVocabulary vocabulary, read_vocabulary(model.folder(), model.config().vocabulary));
  std::vector<GgufTensor> tensors = gguf_tensors(model, *family, pool);
  SIGNUM_TAKE(const auto choices, choose_types(tensors, options.type, progress, pool));
  GgufMetadata metadata;
  add_gguf_metadata(model, *family, most_used(tensors), metadata);
  vocabulary.add_to(metadata);
  // The last call comes before the file gets its name.
  const ExportProgress checked = [&](Phase phase, uint64_t done, uint64_t total) -> Status {
    if (phase == Phase::Verify && done == total) SIGNUM_TRY(model.unchanged());
    return progress(phase, done, total);
  };
  SIGNUM_TAKE(const GgufWritten written, write_gguf(output, metadata, tensors, checked, pool));

  ExportOutcome outcome;
  outcome.files.push_back({std::filesystem::path(output).filename().string(), written.bytes, written.sha256});
  for (size_t i = 0; i < tensors.size(); ++i)
    outcome.count(gguf_traits(tensors[i].type).name, written.errors[i]);
  for (const auto& [tensor, reason] : choices)
    outcome.chosen.push_back(
        {tensors[tensor].name, gguf_traits(tensors[tensor].type).name, reason, written.errors[tensor]});
  outcome.architecture = family->name;
  outcome.notes = gguf_notes(model.config(), *family);
  outcome.notes.insert(outcome.notes.end(), vocabulary.notes.begin(), vocabulary.notes.end());
  return outcome;
}

}  // namespace signum
