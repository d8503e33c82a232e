// Kernels of y = W x straight from packed planes. Rows lie across SIMD lanes: the bits of log2(lanes)
// columns, taken from 32 columns of each row at once, choose one of the sums of +-x that such columns can
// have, from a table in a register. A table is made once per product and serves all rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/dtype.h"

namespace signum::kernels {

// How the bits of a field weigh its column in a table.
enum class Weighing : uint8_t {
  Signs,  // 1 bit: +x or -x
  Codes   // 1, 2 or 4 bits: code * x
};

// Rows that a tile kernel does at once: twice the lanes of the widest vectors here. At most kMaxTileRows.
size_t tile_rows();
inline constexpr size_t kMaxTileRows = 32;

// Whether fields of so many bits can be looked up on this machine (a table entry has whole fields).
bool can_look_up(int bits);
// Floats of the tables of `fields` fields, rounded up to whole words of 32 bits.
size_t table_floats(size_t fields, int bits);
// Fills the tables of x[0, fields).
void make_tables(const float* x, size_t fields, int bits, Weighing weighing, float* tables);

// Where one block of columns lies in a row of bits; blocks begin at whole bytes.
struct Block {
  size_t first = 0;  // column
  size_t width = 0;  // columns
  size_t byte = 0;   // of a row of its plane
  size_t words = 0;  // of 32 bits, the last one perhaps beyond the block: its tables hold zeros there
  size_t table = 0;  // first float of its tables
};

// Scalars [rows, count] in memory as they are stored.
struct Scalars {
  const uint8_t* data = nullptr;
  DType type = DType::F16;
  size_t count = 0;  // of one row
};

// Rows of bits; `end` is where the memory that may be read ends.
struct Plane {
  const uint8_t* data = nullptr;
  size_t row_bytes = 0;
};

// y += scale[block] * (sum over the block), block by block. For codes: scale * (sum of code * x - zero * sum
// of x).
struct PlaneJob {
  size_t rows = 0;
  Plane plane;
  const Block* blocks = nullptr;
  size_t block_count = 0;
  const float* tables = nullptr;
  Scalars scale;
  const float* sums = nullptr;     // of x by block; null: no zeros to take off
  const uint8_t* zeros = nullptr;  // [rows, blocks]; null: `zero` everywhere
  uint8_t zero = 0;
};

// Part of a product: rows [first, first + tile_rows()), as many as there are; blocks [begin, end).
struct Part {
  size_t first = 0;
  size_t begin = 0, end = 0;
};
// y [tile_rows()] by row - first.
void add_planes(const PlaneJob& job, const Part& part, float* y);

// The same for codes of any width from 1 to 8 bits, by conversion; x [columns]. Neither tables nor sums are
// used: exact where most codes are the zero.
void add_codes(const PlaneJob& job, const float* x, int bits, const Part& part, float* y);

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
  const float* tables[2] = {};          // of x without salient columns; rank-one: times the scales of sparse,
                                        // concentrated
  const float* sums = nullptr;          // of x without salient columns, by block; means only
  const float* salient_sums = nullptr;  // of x of salient columns, by block; means only
  Scalars scale = {}, mean = {};        // slot after slot, each [rows, blocks]; rank-one: row scales, no mean
};
void add_means(const GroupedJob& job, const Part& part, float* y);
void add_rank_one(const GroupedJob& job, const Part& part, float* y);

}  // namespace signum::kernels
