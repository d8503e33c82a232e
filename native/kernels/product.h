// What the products of all layouts are made of: the tensors they read, the tables of x that all rows share.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/half.h"
#include "kernels/packed_product.h"
#include "kernels/products.h"

namespace signum::kernels {

// Of tables that are used for a whole band of rows before the next: half of L1.
inline constexpr size_t kNearFloats = 6 << 10;

inline float float_at(DType type, const uint8_t* bytes, size_t index) {
  if (type == DType::F32) {
    float value;
    std::memcpy(&value, bytes + 4 * index, 4);
    return value;
  }
  uint16_t half;
  std::memcpy(&half, bytes + 2 * index, 2);
  return type == DType::F16 ? half_to_float(half) : bfloat_to_float(half);
}

// Reads the tensors of a view.
struct Tensors {
  const PackedView& linear;

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
    std::vector<float> out(bytes(role).size() / dtype_bytes(type));
    for (size_t i = 0; i < out.size(); ++i) out[i] = float_at(type, bytes(role).data(), i);
    return out;
  }
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
      block.table = floats_;
      if (can_look_up(bits)) floats_ += table_floats(block.width, bits);
      blocks_.push_back(block);
    }
  }

  const std::vector<Block>& blocks() const { return blocks_; }
  // x [columns]
  std::unique_ptr<float[], AlignedFree> tables(const float* x) const {
    auto out = aligned_array<float>(floats_);
    for (const Block& block : blocks_)
      make_tables(x + block.first, block.width, bits_, weighing_, out.get() + block.table);
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
  size_t floats_ = 0;
  std::vector<Block> blocks_;
};

// Calls work(part) for the tiles of rows [first, last): all of them with a few blocks, whose tables stay
// near, then with the next ones.
template <class Work>
void for_parts(const std::vector<Block>& blocks, size_t first, size_t last, size_t tables, const Work& work) {
  for (size_t begin = 0, end; begin < blocks.size(); begin = end) {
    end = begin + 1;
    while (end < blocks.size() && tables * (blocks[end].table - blocks[begin].table) < kNearFloats) ++end;
    for (size_t row = first; row < last; row += tile_rows()) work(Part{row, begin, end});
  }
}

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

std::unique_ptr<Product> codes_product(const Tensors& tensors, std::vector<float> x);  // rtn, gptq
std::unique_ptr<Product> signum_rc_product(const Tensors& tensors, const std::vector<float>& x);
std::unique_ptr<Product> fdb_product(const Tensors& tensors, const std::vector<float>& x);
// billm and the arb family with one split.
std::unique_ptr<Product> grouped_product(const Tensors& tensors, const std::vector<float>& x);
std::unique_ptr<Product> pb_llm_product(const Tensors& tensors, std::vector<float> x);
// Any layout: rows are decoded one by one.
std::unique_ptr<Product> decoded_product(const Tensors& tensors, std::vector<float> x);

}  // namespace signum::kernels
