// A [vocabulary, embedding_width] table of a model, the embeddings or the head: stored as numbers, or packed
// as codes (docs/FORMAT.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "base/matrix.h"
#include "file/safetensors.h"
#include "model/mapped_matrix.h"

namespace signum {

class PackedShard;
class ThreadPool;

class Table {
 public:
  explicit Table(const TensorView& tensor) : stored_(&tensor) {}
  // name: in the shard's tables.
  Table(std::shared_ptr<const PackedShard> shard, std::string name)
      : shard_(std::move(shard)), name_(std::move(name)) {}

  // Null where it is packed.
  const TensorView* stored() const { return stored_; }
  // What it consists of where it is packed, not checked yet (check_view); nothing where it is stored.
  std::optional<PackedView> packed_view() const;
  // Of the module: without ".weight".
  std::string name() const;
  size_t rows() const;
  size_t columns() const;

  // out [ids, columns] = the rows of these ids, which must be below rows(). Errors: weights_not_finite,
  // packed_broken.
  Status look_up(std::span<const uint32_t> ids, View out, ThreadPool& pool) const;
  // All rows, a band of some million numbers after another: `use` gets each, and the next one overwrites it.
  // Errors: the same, and those of `use`.
  Status for_bands(const std::function<Status(View rows)>& use, ThreadPool& pool) const;
  // [rows, columns], with the same errors; or where it is mapped, which lives as long as the model.
  Result<Matrix> matrix(ThreadPool& pool) const;
  Result<MappedMatrix> mapped(ThreadPool& pool) const;

 private:
  Status look_up_packed(std::span<const uint32_t> ids, View out, ThreadPool& pool) const;

  const TensorView* stored_ = nullptr;
  std::shared_ptr<const PackedShard> shard_;
  std::string name_;
};

// "model.embed_tokens" of "model.embed_tokens.weight".
std::string table_name(const std::string& tensor);

}  // namespace signum
