// The quantized linears of one shard of a packed folder (docs/FORMAT.md).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "file/safetensors.h"
#include "methods/packed_view.h"

namespace signum {

// Immutable after open(); linear() is safe from several threads.
class PackedShard {
 public:
  // Checks signum_format, every layout in `linears` and `tables`, and that each linear's tensors and order
  // are there with the dtype and shape that the layout needs. Errors: those of SafetensorsFile::open,
  // packed_broken.
  static Result<std::shared_ptr<const PackedShard>> open(const std::string& path);
  static Result<std::shared_ptr<const PackedShard>> open(std::shared_ptr<SafetensorsFile> file);

  const std::shared_ptr<SafetensorsFile>& file() const { return file_; }
  const std::map<std::string, Layout>& layouts() const {
    return layouts_;
  }  // by linear name; empty in the last shard
  // Layouts of the embedding table and the head, where they are packed; by module ("model.embed_tokens").
  const std::map<std::string, Layout>& tables() const { return tables_; }
  // A table of these rows of a packed table. Error packed_broken: no such table or row.
  Result<PackedLinear> table_rows(const std::string& name, std::span<const uint32_t> rows) const;
  // A packed table's tensors, where they are mapped as long as file() is. name: one of tables().
  PackedView table_view(const std::string& name) const;
  // The linear's tensors, where they are mapped as long as file() is, and its order. Error packed_broken: no
  // such linear, or the order is no permutation.
  Result<PackedView> view(const std::string& name) const;
  // The same, copied.
  Result<PackedLinear> linear(const std::string& name) const;

 private:
  explicit PackedShard(std::shared_ptr<SafetensorsFile> file) : file_(std::move(file)) {}
  PackedView tensors_of(const std::string& name, const Layout& layout) const;  // without `order`
  std::shared_ptr<SafetensorsFile> file_;
  Status add_layouts(const char* key, std::map<std::string, Layout>& layouts);

  std::map<std::string, Layout> layouts_;
  std::map<std::string, Layout> tables_;
};

}  // namespace signum
