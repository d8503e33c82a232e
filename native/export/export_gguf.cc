#include "export/export_gguf.h"

#include <filesystem>

#include "export/gguf_model.h"
#include "export/gguf_vocabulary.h"

namespace signum {

Result<ExportOutcome> export_gguf(const Model& model, const std::string& output, const GgufOptions& options,
                                  const ExportProgress& progress, ThreadPool& pool) {
  SIGNUM_TAKE(const GgufFamily* family, gguf_family(model.config()));
  SIGNUM_TAKE(const GgufVocabulary vocabulary, read_vocabulary(model.folder(), model.config().vocabulary));
  GgufMetadata metadata;
  add_gguf_metadata(model, *family, options.type, metadata);
  vocabulary.add_to(metadata);
  const std::vector<GgufTensor> tensors = gguf_tensors(model, *family, options.type, pool);
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
  outcome.architecture = family->name;
  outcome.notes = gguf_notes(model.config(), *family);
  outcome.notes.insert(outcome.notes.end(), vocabulary.notes.begin(), vocabulary.notes.end());
  return outcome;
}

}  // namespace signum
