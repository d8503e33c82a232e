// A packed linear as kernels see it, and the arithmetic of one of its weights (docs/FORMAT.md).
//
// Planes lie for products in which the lanes of a warp are 32 rows, a tile: [tile][word][lane], 32 columns
// a word, so that a warp reads 128 bytes at once and each lane goes along its own row. Columns that share
// their scales (a block, a group) begin at a word, those of several words have a word to themselves at the
// end where they do not fill it: `position` is a column's place then, and places that hold no column are 0
// in every plane. Scalars are [slot][group][row], rows to whole tiles.
#pragma once

#include "cuda/dialect.h"

namespace signum::cuda {

inline constexpr unsigned kTile = 32;       // rows
inline constexpr unsigned kWord = 32;       // columns
inline constexpr unsigned kNoColumn = ~0u;  // in inputs, of a place that holds none
inline constexpr unsigned kRankWords = 8;   // words between two counts of pb-llm's salient weights
inline constexpr unsigned kMostPlanes = 3;  // signum-rc
inline constexpr unsigned kMostGroups = 4;  // of billm and the ARB methods

enum class PackedKind : uint8_t { Codes, Means, RankOne, PbLlm, Fdb, SignumRc };
enum class ScalarKind : uint8_t { F16, Bf16, F32 };

// Words of bits of all rows.
struct BitsOnCard {
  const uint32_t* data = nullptr;
  uint32_t words = 0;  // of a row

  SIGNUM_BOTH uint32_t word(size_t row, size_t w) const {
    return data[((row / kTile) * words + w) * kTile + row % kTile];
  }
};

// [slot][group][row]
struct ScalarsOnCard {
  const void* data = nullptr;
  uint32_t groups = 0;
  size_t rows = 0;  // to whole tiles
  ScalarKind kind = ScalarKind::F16;
};

// One plane with scales of its own: of signum-rc and fdb.
struct PlaneOnCard {
  BitsOnCard bits;
  ScalarsOnCard scale;
  const float* column_scale = nullptr;  // [32 * bits.words], 0 from `end` on; null: ones
  uint32_t end = 0;                     // its columns have the places before this one
};

struct PackedOnCard {
  PackedKind kind = PackedKind::Codes;
  uint32_t rows = 0, columns = 0, tiles = 0;
  uint32_t words = 0;                // of a row: positions / 32
  uint32_t group_words = 0;          // words of a block or group of columns
  uint32_t groups = 0;               // blocks or groups of a row
  const uint32_t* inputs = nullptr;  // [positions]: the input column there, or kNoColumn

  // rtn, gptq: `bits` words for every 32 columns.
  BitsOnCard codes;
  uint32_t bits = 0;
  bool looked_up = false;          // 1 or 2 bits, and every zero is a code
  const uint8_t* zeros = nullptr;  // [group][row]; null: 2^(bits - 1)
  size_t padded_rows = 0;

  // rtn, gptq: steps; billm, arb, arb-x, arb-rc: slots as stored; pb-llm: of the signs.
  ScalarsOnCard scale, mean;
  // billm and the ARB methods; pb-llm: sign, and the mask of salient weights in plane2.
  BitsOnCard sign, plane2, group2, plane3;
  uint32_t splits = 1;
  bool bitmap = false;
  const uint32_t* salient = nullptr;         // [words]: flags of the salient columns
  const uint32_t* salient_before = nullptr;  // [words]: how many there are before
  const float* column_scale = nullptr;       // arb-rc [slot][positions]

  // pb-llm
  const uint32_t* rank = nullptr;  // [words / kRankWords][row]: salient weights before
  const uint8_t* salient_codes = nullptr;
  uint32_t salient_bits = 0;
  ScalarsOnCard step;

  PlaneOnCard planes[kMostPlanes];  // fdb, signum-rc
  uint32_t plane_count = 0;
};

#if defined(SIGNUM_EMULATED) || defined(__CUDACC__)

// As it is stored, which a kernel may load long before it is used, and the number that it is.
__device__ inline uint32_t scalar_bits(const ScalarsOnCard& s, unsigned slot, unsigned group, size_t row) {
  const size_t at = (size_t(slot) * s.groups + group) * s.rows + row;
  if (s.kind == ScalarKind::F32) return static_cast<const uint32_t*>(s.data)[at];
  return static_cast<const uint16_t*>(s.data)[at];
}
__device__ inline float scalar_value(const ScalarsOnCard& s, uint32_t bits) {
  if (s.kind == ScalarKind::F32) return bits_float(bits);
  return s.kind == ScalarKind::F16 ? from_half(uint16_t(bits)) : from_bfloat(uint16_t(bits));
}
__device__ inline float scalar(const ScalarsOnCard& s, unsigned slot, unsigned group, size_t row) {
  return scalar_value(s, scalar_bits(s, slot, group, row));
}

__device__ inline float with_sign(bool positive, float value) {
  return bits_float(float_bits(value) ^ unsigned(!positive) << 31);
}

// Code `index` of a stream of codes (methods/bit_streams.h).
__device__ inline unsigned code_in_stream(const uint8_t* bytes, size_t index, unsigned bits) {
  if (bits == 0) return 0;
  const size_t bit = index * bits;
  unsigned word = bytes[bit >> 3];
  if ((bit & 7) + bits > 8) word |= unsigned(bytes[(bit >> 3) + 1]) << 8;
  return word >> (bit & 7) & ((1u << bits) - 1);
}

// Code `column` of the 32 in `bits` words from `w` on.
__device__ inline unsigned code_in_words(const BitsOnCard& codes, unsigned bits, size_t row, unsigned w,
                                         unsigned column) {
  const unsigned bit = column * bits, first = w * bits + bit / 32, off = bit % 32;
  unsigned code = codes.word(row, first) >> off;
  if (off + bits > 32) code |= codes.word(row, first + 1) << (32 - off);
  return code & ((1u << bits) - 1);
}

// The group of a weight of billm and the ARB methods: 0, the sparse one, to splits.
__device__ inline unsigned group_of(const PackedOnCard& p, unsigned plane2, unsigned group2) {
  return p.splits - (p.splits == 1 ? plane2 : 2 * plane2 + group2);
}

// The number of the salient weight at (row, w * 32 + bit), which is one, of pb-llm.
__device__ inline size_t salient_rank(const PackedOnCard& p, size_t row, unsigned w, unsigned bit) {
  unsigned count = p.rank[size_t(w / kRankWords) * p.padded_rows + row];
  for (unsigned before = w / kRankWords * kRankWords; before < w; ++before)
    count += unsigned(__popc(p.plane2.word(row, before)));
  return count + unsigned(__popc(p.plane2.word(row, w) & ((1u << bit) - 1)));
}

// The weight at a place that holds a column, in the decoder's bits.
__device__ inline float packed_weight(const PackedOnCard& p, size_t row, unsigned position) {
  const unsigned w = position / kWord, bit = position % kWord, g = w / p.group_words;
  const auto at = [&](const BitsOnCard& bits) { return bits.word(row, w) >> bit & 1u; };
  switch (p.kind) {
    case PackedKind::Codes: {
      const int zero = p.zeros ? int(p.zeros[size_t(g) * p.padded_rows + row]) : 1 << (p.bits - 1);
      return scalar(p.scale, 0, g, row) * float(int(code_in_words(p.codes, p.bits, row, w, bit)) - zero);
    }
    case PackedKind::Means:
    case PackedKind::RankOne: {
      const unsigned sign = at(p.sign), high = at(p.plane2), low = p.splits > 1 ? at(p.group2) : 0;
      const unsigned groups = p.bitmap ? p.splits + 1 : 1;
      unsigned group = group_of(p, high, low);
      const bool salient = p.salient[w] >> bit & 1u;
      bool second = false;
      if (salient) {
        if (!p.bitmap) group = 0;
        const unsigned k = p.salient_before[w] + unsigned(__popc(p.salient[w] & ((1u << bit) - 1)));
        second = p.bitmap ? p.plane3.word(row, k / 32) >> (k % 32) & 1u : high;
      }
      const unsigned slot = salient ? 2 * group : 2 * groups + group;
      if (p.kind == PackedKind::Means) {
        const float first = scalar(p.mean, salient ? group : groups + group, g, row) +
                            with_sign(sign, scalar(p.scale, slot, g, row));
        return salient ? first + with_sign(second, scalar(p.scale, slot + 1, g, row)) : first;
      }
      const size_t positions = size_t(p.words) * kWord;
      const float* column = p.column_scale + size_t(salient ? 2 * group : group) * positions + position;
      const float first = with_sign(sign, scalar(p.scale, slot, g, row) * column[0]);
      return salient ? first + with_sign(second, scalar(p.scale, slot + 1, g, row) * column[positions])
                     : first;
    }
    case PackedKind::PbLlm: {
      const unsigned sign = at(p.sign);
      if (!at(p.plane2)) return scalar(p.mean, 0, g, row) + with_sign(sign, scalar(p.scale, 0, g, row));
      const unsigned low = p.salient_bits - 1;
      const unsigned code = code_in_stream(p.salient_codes, salient_rank(p, row, w, bit), low) | sign << low;
      return scalar(p.step, 0, 0, row) * float(int(code) - int(p.zeros[row]));
    }
    case PackedKind::Fdb: {
      const float one = at(p.planes[0].bits) ? scalar(p.planes[0].scale, 0, g, row) : 0.0f;
      const float two = at(p.planes[1].bits) ? scalar(p.planes[1].scale, 0, g, row) : 0.0f;
      return one + two;
    }
    case PackedKind::SignumRc: {
      float value = 0;
      for (unsigned i = 0; i < p.plane_count; ++i) {
        const PlaneOnCard& plane = p.planes[i];
        if (position >= plane.end) break;
        const float row_scale = scalar(plane.scale, 0, g, row);
        const float size = plane.column_scale ? row_scale * plane.column_scale[position] : row_scale;
        const float part = with_sign(at(plane.bits), size);
        value = i == 0 ? part : value + part;
      }
      return value;
    }
  }
  return 0;
}

#endif

}  // namespace signum::cuda
