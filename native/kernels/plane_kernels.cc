// Products of planes with one scale per row and block, and of integer codes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/plane_kernels.cc"
#include "kernels/targets.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "kernels/look_up-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

// The sums of a tile's rows.
struct TileSums {
  HWY_INLINE void Clear(size_t words) {
    for (LookUpSum& one : of) one.Clear(words);
  }
  LookUpSum of[kVectors];
};

// One word of every row: its bits choose from the word's tables.
HWY_INLINE void LookUpWord(const uint8_t* tables, const uint32_t* words, TileSums& sums) {
  Bits bits[kVectors];
  for (size_t v = 0; v < kVectors; ++v) bits[v].rest = Lanes(words, v);
  for (size_t lookup = 0; lookup < kLookups; ++lookup) {
    const Table table(tables + lookup * kTableBytes);
    for (size_t v = 0; v < kVectors; ++v) sums.of[v].Add(table, bits[v].Next());
  }
}

// job.zeros null or not decides about kZeros.
template <bool kZeros>
HWY_INLINE void AddPlanesOf(const PlaneJob& job, size_t first, float* y) {
  const D d;
  TileWords words(job.plane, first, job.rows);
  TileScalars scale(job.scale, first, job.rows);
  TileWords zeros({job.zeros, job.block_count}, first, job.rows);
  V total[kVectors];
  for (size_t v = 0; v < kVectors; ++v) total[v] = hn::Load(d, y + v * kLanes);
  for (size_t b = 0; b < job.block_count; ++b) {
    const Block& block = job.blocks[b];
    TileSums sums;
    sums.Clear(block.words);
    for (size_t w = 0; w < block.words; ++w)
      LookUpWord(job.tables + block.table + w * kWordTables, words.At(block.byte + 4 * w), sums);
    V of_block[kVectors];
    for (size_t v = 0; v < kVectors; ++v) of_block[v] = sums.of[v].Value(job.units[b]);
    if constexpr (kZeros) {
      const V x = hn::Set(d, job.sums[b]);
      const uint32_t* stored = zeros.At(b & ~size_t(3));
      for (size_t v = 0; v < kVectors; ++v) {
        const VU zero = hn::And(hn::ShiftRightSame(Lanes(stored, v), int(b % 4 * 8)), hn::Set(DU(), 255u));
        const auto away = hn::Sub(hn::BitCast(DI(), zero), hn::Set(DI(), job.middle));
        of_block[v] = hn::NegMulAdd(hn::ConvertTo(d, away), x, of_block[v]);
      }
    }
    scale.Choose(b);
    for (size_t v = 0; v < kVectors; ++v) total[v] = hn::MulAdd(scale[v], of_block[v], total[v]);
  }
  for (size_t v = 0; v < kVectors; ++v) hn::Store(total[v], d, y + v * kLanes);
}

void AddPlanes(const PlaneJob& job, size_t first, float* y) {
  job.zeros ? AddPlanesOf<true>(job, first, y) : AddPlanesOf<false>(job, first, y);
}

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::kernels {

HWY_EXPORT(AddPlanes);

void add_planes(const PlaneJob& job, size_t first, float* y) {
  HWY_DYNAMIC_DISPATCH(AddPlanes)(job, first, y);
}

}  // namespace signum::kernels
#endif
