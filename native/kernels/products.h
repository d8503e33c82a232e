// Kernels of y = W x straight from packed planes. Rows lie across SIMD lanes: the bits of log2(lanes)
// columns, taken from 32 columns of each row at once, choose one of the sums of +-x that such columns can
// have, from a table in a register. A table is made once per product and serves all rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/dtype.h"
#include "base/half.h"

namespace signum::kernels {

// How the bits of a field weigh its column in a table.
enum class Weighing : uint8_t {
  Signs,  // 1 bit: +x or -x
  Bits,   // 1 bit: x or 0
  Codes   // 1, 2 or 4 bits: (code - 2^(bits - 1)) * x
};

// Rows that a tile kernel does at once. At most kMaxTileRows.
size_t tile_rows();
inline constexpr size_t kMaxTileRows = 64;

// Whether fields of so many bits can be looked up on this machine (a table entry has whole fields).
bool can_look_up(int bits);
// Bytes of the tables of `fields` fields, rounded up to whole words of 32 bits. Tables begin at multiples
// of 64.
size_t table_bytes(size_t fields, int bits);
// Fills the tables of x[0, fields). Returns the unit that their entries count.
float make_tables(const float* x, size_t fields, int bits, Weighing weighing, uint8_t* tables);

// Where one block of columns lies in a row of bits; blocks begin at whole bytes.
struct Block {
  size_t first = 0;  // column
  size_t width = 0;  // columns
  size_t byte = 0;   // of a row of its plane
  size_t words = 0;  // of 32 bits, the last one perhaps beyond the block: its tables hold zeros there
  size_t table = 0;  // first byte of its tables
};

// Scalars [rows, count] in memory as they are stored.
struct Scalars {
  const uint8_t* data = nullptr;
  DType type = DType::F16;
  size_t count = 0;  // of one row
};

inline float scalar_at(DType type, const uint8_t* bytes, size_t index) {
  if (type == DType::F32) {
    float value;
    std::memcpy(&value, bytes + 4 * index, 4);
    return value;
  }
  uint16_t half;
  std::memcpy(&half, bytes + 2 * index, 2);
  return type == DType::F16 ? half_to_float(half) : bfloat_to_float(half);
}

// Rows of bits.
struct Plane {
  const uint8_t* data = nullptr;
  size_t row_bytes = 0;
};

// y += scale[block] * (sum over the block), block by block. For codes the sum is less (zero - middle) * sum
// of x.
struct PlaneJob {
  size_t rows = 0;
  Plane plane;
  const Block* blocks = nullptr;
  size_t block_count = 0;
  const uint8_t* tables = nullptr;
  const float* units = nullptr;  // of the tables, by block
  Scalars scale;
  const float* sums = nullptr;     // of x by block, where there are zeros
  const uint8_t* zeros = nullptr;  // [rows, blocks]; null: `middle` everywhere
  int middle = 0;                  // the zero that the tables have
};

// y [tile_rows()] by row - first, as many rows as there are.
void add_planes(const PlaneJob& job, size_t first, float* y);

// The same for codes of any width from 1 to 8 bits. Neither tables nor sums are used: exact where most codes
// are the zero.
struct CodeJob {
  size_t rows = 0;
  Plane plane;
  int bits = 0;
  const Block* blocks = nullptr;  // they may begin at any bit
  size_t block_count = 0;
  const float* x = nullptr;  // block after block, each filled up with zeros to a multiple of code_step()
  Scalars scale;
  const uint8_t* zeros = nullptr;  // [rows, blocks]; null: `zero` everywhere
  uint8_t zero = 0;
  const void* places = nullptr;  // make_places(bits)
};
size_t code_step();
std::shared_ptr<const void> make_places(int bits);
// y [last - first]
void add_codes(const CodeJob& job, size_t first, size_t last, float* y);

// One salient column of a block.
struct SalientColumn {
  uint32_t bit = 0;      // column - block's first
  uint32_t compact = 0;  // its place among all salient columns: bit of a row of plane3
  float x[4] = {};       // x, or x times the column scales of its slots
};

// billm and the arb family: signs, groups, salient columns. Slots as in docs/FORMAT.md.
struct GroupedJob {
  size_t rows = 0;
  Plane sign, plane2, plane3;  // plane3.data null without column_group_bitmap
  const Block* blocks = nullptr;
  size_t block_count = 0;
  const SalientColumn* salient = nullptr;  // by block, ascending
  const size_t* salient_begin = nullptr;   // [block_count + 1]
  const uint8_t* tables[2] = {};        // of x without salient columns; rank-one: times the scales of sparse,
                                        // concentrated
  const float* units[2] = {};           // of the tables, by block
  const float* sums = nullptr;          // of x without salient columns, by block; means only
  const float* salient_sums = nullptr;  // of x of salient columns, by block; means only
  Scalars scale = {}, mean = {};        // slot after slot, each [rows, blocks]; rank-one: row scales, no mean
};
// y [tile_rows()] by row - first.
void add_means(const GroupedJob& job, size_t first, float* y);
void add_rank_one(const GroupedJob& job, size_t first, float* y);

}  // namespace signum::kernels
