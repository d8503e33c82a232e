#include "run/tables.h"

#include <algorithm>

#include "base/half.h"

namespace signum {
namespace {

constexpr size_t kGroup = 64;

// Rows do not know of each other: bands of them make the same bytes as all at once.
Result<NamedLinear> as_codes(const Table& table, int bits, ThreadPool& pool) {
  Recipe recipe;
  recipe.method = Method::Rtn;
  recipe.bits = bits;
  recipe.group = kGroup;
  NamedLinear whole{table.name(), {}};
  const auto add = [&](View rows) -> Status {
    SIGNUM_TAKE(PackedLinear part, quantize(recipe, Matrix::copy_of(rows), nullptr, pool));
    if (whole.packed.tensors.empty()) {
      whole.packed = std::move(part);
      return {};
    }
    whole.packed.layout.rows += part.layout.rows;
    for (size_t i = 0; i < part.tensors.size(); ++i) {
      PackedTensor& tensor = whole.packed.tensors[i];
      tensor.shape[0] += part.tensors[i].shape[0];
      tensor.bytes.insert(tensor.bytes.end(), part.tensors[i].bytes.begin(), part.tensors[i].bytes.end());
    }
    return {};
  };
  SIGNUM_TRY(table.for_bands(add, pool));
  return whole;
}

Result<std::vector<uint8_t>> as_half(const Table& table, ThreadPool& pool) {
  std::vector<uint8_t> bytes;
  bytes.reserve(table.rows() * table.columns() * 2);
  const auto add = [&](View rows) -> Status {
    for (size_t i = 0; i < rows.rows * rows.columns; ++i) {
      const uint16_t half = float_to_half(rows.data[i]);
      if ((half & 0x7C00) == 0x7C00)
        return Error{"scales_overflow", table.name() + ": a number is too large for F16 (above 65,504).", ""};
      bytes.push_back(uint8_t(half));
      bytes.push_back(uint8_t(half >> 8));
    }
    return {};
  };
  SIGNUM_TRY(table.for_bands(add, pool));
  return bytes;
}

}  // namespace

Result<PackedTables> pack_tables(const Model& model, const TableTypes& types, ThreadPool& pool) {
  PackedTables tables;
  const auto add = [&](const Table& table, TableType type) -> Status {
    if (type == TableType::Source) return {};
    if (type == TableType::F16) {
      if (table.stored()->dtype == DType::F16) return {};
      SIGNUM_TAKE(auto bytes, as_half(table, pool));
      tables.storage.push_back(std::move(bytes));
      tables.converted.push_back(
          {table.stored()->name, DType::F16, {table.rows(), table.columns()}, tables.storage.back()});
    } else {
      SIGNUM_TAKE(auto codes, as_codes(table, type == TableType::Rtn8 ? 8 : 4, pool));
      tables.packed.push_back(std::move(codes));
    }
    tables.replaced.push_back(table.stored()->name);
    return {};
  };
  SIGNUM_TRY(add(model.embedding_table(), types.embedding));
  if (!model.config().tied) {
    SIGNUM_TRY(add(model.head_table(), types.head));
  } else if (!tables.replaced.empty()) {
    // A second copy under the head's name would be the same table once more.
    tables.replaced.push_back(model.config().architecture->head);
  }
  return tables;
}

}  // namespace signum
