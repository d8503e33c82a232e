#include "export/model_folder.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "file/copied_files.h"
#include "file/durable_file.h"
#include "file/json_file.h"
#include "file/partial_folder.h"
#include "file/sha256.h"
#include "model/model.h"

namespace signum {
namespace {

using Json = nlohmann::json;
constexpr const char* kIndex = "model.safetensors.index.json";

class Writer {
 public:
  Writer(std::string folder, std::vector<FolderTensor> tensors, uint64_t shard_bytes,
         const ExportProgress& progress)
      : folder_(std::move(folder)), progress_(progress) {
    for (const FolderTensor& tensor : tensors) total_ += tensor.stored.bytes();
    into_shards(std::move(tensors), shard_bytes);
  }

  Status write(const std::map<std::string, std::string>& texts) {
    uint64_t needed = total_;
    for (const auto& [name, bytes] : texts) needed += bytes.size();
    if (const uint64_t free = free_bytes(folder_); free > 0 && free < needed)
      return Error{
          "disk_full",
          folder_ + " needs " + std::to_string(needed) + " bytes, " + std::to_string(free) + " are free.",
          ""};
    begin(Phase::Write);
    for (size_t i = 0; i < shards_.size(); ++i)
      SIGNUM_TRY(stream_safetensors(path(file_name(i)), told(shards_[i]), {{"format", "pt"}}));
    if (shards_.size() > 1) SIGNUM_TRY(write_index());
    for (const auto& [name, bytes] : texts) SIGNUM_TRY(write_text_file(path(name), bytes));
    return progress_(Phase::Write, total_, total_);
  }

  // Every tensor, every text, and the hashes of the files.
  Status verify(const std::map<std::string, std::string>& texts, ExportOutcome& outcome) {
    begin(Phase::Verify);
    std::vector<std::shared_ptr<SafetensorsFile>> files;
    for (size_t i = 0; i < shards_.size(); ++i) {
      drop_cached(path(file_name(i)));
      SIGNUM_TAKE(auto file, SafetensorsFile::open(path(file_name(i))));
      if (file->tensors().size() != shards_[i].size()) return differs(file_name(i));
      files.push_back(std::move(file));
    }
    const FindTensor find = [&](const std::string& name) -> const TensorView* {
      for (const auto& file : files)
        if (const TensorView* tensor = file->find(name)) return tensor;
      return nullptr;
    };
    for (const auto& shard : shards_)
      for (const FolderTensor& tensor : shard) SIGNUM_TRY(verify_tensor(tensor, find, outcome));
    for (size_t i = 0; i < shards_.size(); ++i) SIGNUM_TRY(add_file(file_name(i), outcome));
    for (const auto& [name, bytes] : texts) {
      SIGNUM_TAKE(const std::string read, read_text_file(path(name)));
      if (read != bytes) return differs(name);
      SIGNUM_TRY(add_file(name, outcome));
    }
    if (shards_.size() > 1) SIGNUM_TRY(add_file(kIndex, outcome));
    std::ranges::sort(outcome.files, {}, &ExportedFile::name);
    return progress_(Phase::Verify, total_, total_);
  }

 private:
  void into_shards(std::vector<FolderTensor> tensors, uint64_t shard_bytes) {
    uint64_t filled = 0;
    for (FolderTensor& tensor : tensors) {
      const uint64_t bytes = tensor.stored.bytes();
      if (shards_.empty() || (shard_bytes > 0 && filled > 0 && filled + bytes > shard_bytes)) {
        shards_.emplace_back();
        filled = 0;
      }
      filled += bytes;
      shards_.back().push_back(std::move(tensor));
    }
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string file_name(size_t i) const {
    if (shards_.size() == 1) return "model.safetensors";
    char name[64];
    std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards_.size());
    return name;
  }

  // The tensors, with progress as their bytes go by.
  std::vector<StreamedTensor> told(const std::vector<FolderTensor>& tensors) {
    std::vector<StreamedTensor> out;
    for (const FolderTensor& tensor : tensors) {
      out.push_back(tensor.stored);
      out.back().produce = [this, produce = tensor.stored.produce](const ByteSink& sink) {
        return produce([&](std::span<const uint8_t> piece) -> Status {
          SIGNUM_TRY(sink(piece));
          return tell(piece.size());
        });
      };
    }
    return out;
  }
  void begin(Phase phase) {
    phase_ = phase;
    done_ = 0;
  }
  Status tell(uint64_t bytes) {
    done_ += bytes;
    return progress_(phase_, done_, total_);
  }

  Status write_index() const {
    Json places = Json::object();
    for (size_t i = 0; i < shards_.size(); ++i)
      for (const FolderTensor& tensor : shards_[i]) places[tensor.stored.name] = file_name(i);
    const Json index = {{"metadata", {{"total_size", total_}}}, {"weight_map", places}};
    return write_text_file(path(kIndex), index.dump(2) + "\n");
  }

  Status verify_tensor(const FolderTensor& tensor, const FindTensor& find, ExportOutcome& outcome) {
    const StreamedTensor& stored = tensor.stored;
    const TensorView* read = find(stored.name);
    if (!read || read->dtype != stored.dtype || read->shape != stored.shape) return differs(stored.name);
    RoundingError error;
    SIGNUM_TRY(tensor.verify(
        *read, find, [this](uint64_t bytes) { return tell(bytes); }, error));
    outcome.count(tensor.type, error);
    return {};
  }

  Status add_file(const std::string& name, ExportOutcome& outcome) const {
    std::error_code error;
    const uint64_t bytes = std::filesystem::file_size(path(name), error);
    SIGNUM_TAKE(const std::string hash, sha256_file(path(name)));
    outcome.files.push_back({name, bytes, hash});
    return {};
  }

  const std::string folder_;
  const ExportProgress& progress_;
  std::vector<std::vector<FolderTensor>> shards_;
  Phase phase_ = Phase::Write;
  uint64_t total_ = 0;  // bytes of tensors
  uint64_t done_ = 0;   // of them, in this phase
};

}  // namespace

Error differs(const std::string& name) { return unverified(name, "it is not what the model has"); }

Result<std::map<std::string, std::string>> files_of(const Model& model) {
  std::map<std::string, std::string> files;
  for (const std::string& name : files_to_copy(model.folder())) {
    SIGNUM_TAKE(files[name], read_text_file(model.folder() + "/" + name));
  }
  return files;
}

Result<ExportOutcome> write_model_folder(const Model& model, const std::string& output,
                                         std::vector<FolderTensor> tensors, uint64_t shard_bytes,
                                         const std::map<std::string, std::string>& texts,
                                         const ExportProgress& progress) {
  ExportOutcome outcome;
  SIGNUM_TAKE(PartialFolder folder, PartialFolder::create(output));
  Writer writer(folder.path(), std::move(tensors), shard_bytes, progress);
  SIGNUM_TRY(writer.write(texts));
  SIGNUM_TRY(writer.verify(texts, outcome));
  SIGNUM_TRY(model.unchanged());
  SIGNUM_TRY(folder.commit());
  return outcome;
}

}  // namespace signum
