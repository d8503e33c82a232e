#include "export/export_gguf.h"

#include "export/gguf_model.h"
#include "export/gguf_vocabulary.h"

namespace signum {

Result<GgufExport> export_gguf(const Model& model, const std::string& output, GgufType type,
                               const WriteProgress& progress, ThreadPool& pool) {
  GgufExport done;
  SIGNUM_TAKE(const GgufFamily* family, gguf_family(model.config()));
  SIGNUM_TAKE(const GgufVocabulary vocabulary, read_vocabulary(model.folder(), model.config().vocabulary));
  GgufMetadata metadata;
  add_gguf_metadata(model, *family, type, metadata);
  vocabulary.add_to(metadata);
  const std::vector<GgufTensor> tensors = gguf_tensors(model, *family, type, pool);
  // The last call comes before the file gets its name.
  const WriteProgress checked = [&](uint64_t written, uint64_t total) -> Status {
    if (written == total) SIGNUM_TRY(model.unchanged());
    return progress(written, total);
  };
  SIGNUM_TAKE(done.bytes, write_gguf(output, metadata, tensors, checked));
  done.tensors = tensors.size();
  done.architecture = family->name;
  done.notes = gguf_notes(model.config(), *family);
  done.notes.insert(done.notes.end(), vocabulary.notes.begin(), vocabulary.notes.end());
  return done;
}

}  // namespace signum
