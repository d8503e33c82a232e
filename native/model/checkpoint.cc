#include "model/checkpoint.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "file/json_file.h"

namespace signum {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

// There, or at least a link of that name (whose target may be gone).
bool listed(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

// A weight file of another kind in the folder, or "".
std::string other_weights(const std::string& folder) {
  static const std::set<std::string> kExtensions = {".bin",  ".pt",   ".pth", ".ckpt",
                                                    ".gguf", ".ggml", ".h5",  ".msgpack"};
  std::set<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (kExtensions.count(entry.path().extension().string())) found.insert(entry.path().filename().string());
  return found.empty() ? "" : *found.begin();
}

Error no_weights(const std::string& folder) {
  if (const std::string other = other_weights(folder); !other.empty())
    return {"checkpoint_not_safetensors",
            "The weights of this model are not safetensors (" + other + "); convert them first.", folder};
  return {"shard_missing",
          "There is neither " + std::string(kSingle) + " nor " + kIndex + " in " + folder + ".", ""};
}

Status open_shard(const std::string& folder, const std::string& name, Checkpoint& checkpoint) {
  const fs::path path = fs::path(folder) / name;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    const std::string how = listed(path) ? " is a link to a file that is not there" : " is not there";
    return Error{"shard_missing", "The weight file " + name + how + ".", path.string()};
  }
  SIGNUM_TAKE(auto shard, SafetensorsFile::open(path.string()));
  checkpoint.files.push_back({name, shard->file_bytes()});
  checkpoint.shards.emplace(name, std::move(shard));
  return {};
}

void take_all_tensors(const std::string& file, Checkpoint& checkpoint) {
  for (const auto& [name, tensor] : checkpoint.shards.at(file)->tensors()) {
    checkpoint.tensors.emplace(name, &tensor);
    checkpoint.shard_of.emplace(name, file);
  }
}

Error index_broken(const std::string& what) {
  return {"shard_broken", std::string(kIndex) + ": " + what + ".", ""};
}

// A file name that stays in the folder.
bool plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string("/\\\0", 3)) == std::string::npos;
}

// weight_map: tensor name -> file name.
Result<std::map<std::string, std::string>> read_weight_map(const Json& index) {
  const auto found = index.find("weight_map");
  if (found == index.end() || !found->is_object() || found->empty())
    return index_broken("weight_map must be an object with a file name for each tensor");
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, file] : found->items()) {
    if (!file.is_string() || !plain_name(file.get<std::string>()))
      return index_broken("weight_map must give " + tensor + " the name of a file in the same folder");
    shard_of[tensor] = file.get<std::string>();
  }
  return shard_of;
}

Status read_format(const Json& index, Checkpoint& checkpoint) {
  const auto metadata = index.find("metadata");
  if (metadata == index.end() || !metadata->is_object() || !metadata->contains("signum_format")) return {};
  checkpoint.packed = true;
  if ((*metadata)["signum_format"] == "1") return {};
  return Error{"packed_broken",
               "This packed model has a format version that this program does not know; supported: 1.",
               std::string(kIndex) + ": metadata.signum_format"};
}

Status open_indexed(const std::string& folder, Checkpoint& checkpoint) {
  SIGNUM_TAKE(const std::string text, read_text_file((fs::path(folder) / kIndex).string()));
  const Json index = Json::parse(text, nullptr, false);
  if (!index.is_object()) return index_broken("the file must hold one JSON object");
  SIGNUM_TRY(read_format(index, checkpoint));
  SIGNUM_TAKE(checkpoint.shard_of, read_weight_map(index));
  checkpoint.files.push_back({kIndex, text.size()});
  std::set<std::string> names;
  for (const auto& [tensor, file] : checkpoint.shard_of) names.insert(file);
  for (const std::string& name : names) SIGNUM_TRY(open_shard(folder, name, checkpoint));
  for (const auto& [tensor, file] : checkpoint.shard_of) {
    const TensorView* view = checkpoint.shards.at(file)->find(tensor);
    if (!view)
      return Error{"tensor_missing",
                   "The tensor " + tensor + " is not in " + file + ", where the index says it is.", ""};
    checkpoint.tensors.emplace(tensor, view);
  }
  return {};
}

}  // namespace

Result<Checkpoint> open_checkpoint(const std::string& folder) {
  Checkpoint checkpoint;
  if (listed(fs::path(folder) / kSingle)) {
    SIGNUM_TRY(open_shard(folder, kSingle, checkpoint));
    take_all_tensors(kSingle, checkpoint);
  } else if (listed(fs::path(folder) / kIndex)) {
    std::error_code ignored;
    if (!fs::exists(fs::path(folder) / kIndex, ignored))
      return Error{"shard_missing",
                   std::string("The file ") + kIndex + " is a link to a file that is not there.", folder};
    SIGNUM_TRY(open_indexed(folder, checkpoint));
  } else {
    return no_weights(folder);
  }
  return checkpoint;
}

}  // namespace signum
