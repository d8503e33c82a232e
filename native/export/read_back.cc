#include "export/read_back.h"

#include "export/export_outcome.h"

namespace signum {

Result<ReadBack> ReadBack::open(const std::string& path, const std::string& name) {
  SIGNUM_TAKE(MappedFile file, MappedFile::open(path));
  return ReadBack(std::move(file), name);
}

Result<std::span<const uint8_t>> ReadBack::next(uint64_t bytes) {
  const uint64_t left = file_.bytes().size() - at_;
  if (bytes > left) return unverified(name_, "it ends " + std::to_string(bytes - left) + " bytes too early");
  const auto span = file_.bytes().subspan(at_, bytes);
  hash_->update(span);
  at_ += bytes;
  return span;
}

Result<std::string> ReadBack::end() {
  if (const uint64_t left = file_.bytes().size() - at_; left > 0)
    return unverified(name_, "it has " + std::to_string(left) + " bytes too many");
  return hash_->hex();
}

}  // namespace signum
