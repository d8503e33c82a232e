// What the products of all layouts are made of: the tensors they read, the tables of x that all rows share.
#pragma once

#include <algorithm>
#include <memory>

#include "base/pool.h"
#include "kernels/packed_product.h"
#include "kernels/products.h"
#include "math/to_f32.h"

namespace signum::kernels {

// Reads the tensors of a view.
struct Tensors {
  const PackedView& linear;
  ThreadPool& pool;  // for what all rows share

  std::span<const uint8_t> bytes(const char* role) const { return linear.bytes(role); }
  Plane plane(const char* role) const {
    const auto all = bytes(role);
    return {all.data(), all.size() / linear.layout.rows};
  }
  Scalars scalars(const char* role, size_t per_row) const {
    return {bytes(role).data(), linear.layout.scale_type, per_row};
  }
  // All scalars of a tensor.
  std::vector<float> floats(const char* role) const {
    const DType type = linear.layout.scale_type;
    const auto stored = bytes(role);
    std::vector<float> out(stored.size() / dtype_bytes(type));
    to_f32(type, stored.data(), out.size(), out.data());
    return out;
  }
};

// Tables of one x, and the unit of each block's.
struct TablesOfX {
  std::unique_ptr<uint8_t[], AlignedFree> bytes;
  std::vector<float> units;
};

// The blocks of a row of `columns` fields, and tables of x for them.
class BlockTables {
 public:
  BlockTables(size_t columns, size_t width, int bits, Weighing weighing = Weighing::Signs)
      : bits_(bits), weighing_(weighing) {
    for (size_t first = 0; first < columns; first += width) {
      Block block{.first = first, .width = std::min(width, columns - first)};
      block.byte = first * size_t(bits) / 8;
      block.words = (block.width * size_t(bits) + 31) / 32;
      block.table = bytes_;
      if (can_look_up(bits)) bytes_ += table_bytes(block.width, bits);
      blocks_.push_back(block);
    }
  }

  const std::vector<Block>& blocks() const { return blocks_; }
  // x [columns]
  TablesOfX tables(const float* x, ThreadPool& pool) const {
    TablesOfX out{aligned_array<uint8_t>(bytes_), std::vector<float>(blocks_.size())};
    constexpr size_t kTogether = 8;  // blocks of one task
    pool.parallel_for((blocks_.size() + kTogether - 1) / kTogether, [&](size_t task) {
      for (size_t b = task * kTogether; b < std::min(blocks_.size(), (task + 1) * kTogether); ++b) {
        const Block& block = blocks_[b];
        out.units[b] =
            make_tables(x + block.first, block.width, bits_, weighing_, out.bytes.get() + block.table);
      }
    });
    return out;
  }
  std::vector<float> sums(const float* x) const {
    std::vector<float> out;
    for (const Block& block : blocks_) {
      double sum = 0;
      for (size_t j = block.first; j < block.first + block.width; ++j) sum += double(x[j]);
      out.push_back(float(sum));
    }
    return out;
  }

 private:
  int bits_;
  Weighing weighing_;
  size_t bytes_ = 0;
  std::vector<Block> blocks_;
};

// One product: what all rows share is made once, then bands of rows are added up.
class Product {
 public:
  virtual ~Product() = default;
  // Adds rows [first, last) to y, which has room for whole tiles and begins at row first.
  virtual void add(size_t first, size_t last, float* y) const = 0;
};

inline std::vector<float> times(std::span<const float> x, std::span<const float> scale) {
  std::vector<float> out(x.begin(), x.end());
  for (size_t j = 0; j < scale.size(); ++j) out[j] *= scale[j];
  return out;
}

// Whether fields of so many bits in blocks of so many columns begin at whole bytes, as the kernels need.
inline bool begins_at_bytes(size_t block, size_t columns, int bits = 1) {
  return block >= columns || block * size_t(bits) % 8 == 0;
}

std::unique_ptr<Product> codes_product(const Tensors& tensors, const std::vector<float>& x);  // rtn, gptq
std::unique_ptr<Product> signum_rc_product(const Tensors& tensors, const std::vector<float>& x);
std::unique_ptr<Product> fdb_product(const Tensors& tensors, const std::vector<float>& x);
// billm and the arb family with one split.
std::unique_ptr<Product> grouped_product(const Tensors& tensors, const std::vector<float>& x);
std::unique_ptr<Product> pb_llm_product(const Tensors& tensors, std::vector<float> x);
// Any layout: rows are decoded one by one.
std::unique_ptr<Product> decoded_product(const Tensors& tensors, std::vector<float> x);

}  // namespace signum::kernels
