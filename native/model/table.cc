#include "model/table.h"

#include <atomic>
#include <cstring>
#include <numeric>

#include "file/packed_shard.h"
#include "math/finite.h"
#include "model/rows.h"

namespace signum {
std::string table_name(const std::string& tensor) {
  return tensor.ends_with(".weight") ? tensor.substr(0, tensor.size() - 7) : tensor;
}

std::optional<PackedView> Table::packed_view() const {
  if (stored_) return {};
  return shard_->table_view(name_);
}

std::string Table::name() const { return stored_ ? table_name(stored_->name) : name_; }
size_t Table::rows() const { return stored_ ? stored_->shape[0] : shard_->tables().at(name_).rows; }
size_t Table::columns() const { return stored_ ? stored_->shape[1] : shard_->tables().at(name_).columns; }

Status Table::look_up(std::span<const uint32_t> ids, View out, ThreadPool& pool) const {
  if (!stored_) return look_up_packed(ids, out, pool);
  const size_t row_bytes = out.columns * dtype_bytes(stored_->dtype);
  std::atomic<bool> finite{true};
  for_rows(ids.size(), pool, [&](size_t i) {
    to_f32(stored_->dtype, stored_->bytes.data() + ids[i] * row_bytes, out.columns, out.row(i));
    if (!all_finite(out.row(i), out.columns)) finite = false;
  });
  if (!finite) return weights_not_finite(stored_->name);
  return {};
}

// Every tensor of a table has its rows outermost: those that are asked for make a table of their own.
Status Table::look_up_packed(std::span<const uint32_t> ids, View out, ThreadPool& pool) const {
  constexpr size_t kBatch = 4096;
  for (size_t first = 0; first < ids.size(); first += kBatch) {
    const auto batch = ids.subspan(first, std::min(kBatch, ids.size() - first));
    SIGNUM_TAKE(const PackedLinear some, shard_->table_rows(name_, batch));
    SIGNUM_TAKE(const Matrix decoded, decode(some, pool));
    if (!all_finite(decoded.view(), pool)) return weights_not_finite(name_);
    for (size_t i = 0; i < batch.size(); ++i)
      std::memcpy(out.row(first + i), decoded.row(i), decoded.columns() * sizeof(float));
  }
  return {};
}

Status Table::for_bands(const std::function<Status(View rows)>& use, ThreadPool& pool) const {
  constexpr size_t kBand = size_t(1) << 22;  // numbers
  const size_t band = std::min(rows(), std::max<size_t>(1, kBand / std::max<size_t>(1, columns())));
  Matrix scratch = Matrix::uninitialized(band, columns());
  std::vector<uint32_t> ids;
  for (size_t first = 0; first < rows(); first += band) {
    ids.resize(std::min(band, rows() - first));
    std::iota(ids.begin(), ids.end(), uint32_t(first));
    const View some = scratch.view().block(0, 0, ids.size(), columns());
    SIGNUM_TRY(look_up(ids, some, pool));
    SIGNUM_TRY(use(some));
  }
  return {};
}

Result<Matrix> Table::matrix(ThreadPool& pool) const {
  std::vector<uint32_t> all(rows());
  std::iota(all.begin(), all.end(), 0u);
  Matrix matrix(rows(), columns());
  SIGNUM_TRY(look_up(all, matrix.view(), pool));
  return matrix;
}

Result<MappedMatrix> Table::mapped(ThreadPool& pool) const {
  if (stored_) return MappedMatrix::of(*stored_, pool);
  return MappedMatrix::of(name_, shard_->table_view(name_), pool);
}

}  // namespace signum
