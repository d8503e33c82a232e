// Products of planes with one scale per row and block, and of integer codes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/plane_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "kernels/lanes-inl.h"
#include "kernels/products.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

size_t TileRows() { return 2 * kLanes; }

bool CanLookUp(int bits) { return kIndexBits % bits == 0 && 32 % bits == 0; }

size_t TableFloats(size_t fields, int bits) {
  return (fields * size_t(bits) + 31) / 32 * kLookups * kEntries;
}

void MakeTables(const float* x, size_t fields, int bits, Weighing weighing, float* tables) {
  // What each of the fields that one look-up takes weighs in every entry.
  const size_t per_lookup = size_t(kIndexBits / bits), per_word = 32 / size_t(bits);
  const uint32_t most = (1u << bits) - 1;
  HWY_ALIGN float weights[kIndexBits][kEntries];
  for (size_t i = 0; i < per_lookup; ++i)
    for (size_t e = 0; e < kEntries; ++e) {
      const uint32_t code = uint32_t(e >> (i * size_t(bits))) & most;
      weights[i][e] = weighing == Weighing::Codes ? float(code) : code ? 1.0f : -1.0f;
    }
  const hn::CappedTag<float, kEntries> d;
  for (size_t word = 0; word < fields; word += per_word)
    for (size_t lookup = 0; lookup < kLookups; ++lookup, tables += kEntries) {
      // The last look-up of a word may have fewer fields, and the last word too.
      const size_t first = lookup * per_lookup, end = HWY_MIN(per_word, fields - word);
      const size_t count = first < end ? HWY_MIN(per_lookup, end - first) : 0;
      for (size_t e = 0; e < kEntries; e += hn::Lanes(d)) {
        auto sum = hn::Zero(d);
        for (size_t i = 0; i < count; ++i)
          sum = hn::MulAdd(hn::Load(d, weights[i] + e), hn::Set(d, x[word + first + i]), sum);
        hn::Store(sum, d, tables + e);
      }
    }
}

// The zeros of a block, as codes.
class Zeros {
 public:
  HWY_INLINE Zeros(const PlaneJob& job, const Rows& rows)
      : stored_(job.zeros != nullptr), same_(job.zero), words_({job.zeros, job.block_count}, rows) {}
  HWY_INLINE VU operator[](size_t block) const {
    return stored_ ? hn::And(words_.At(block), hn::Set(DU(), 255u)) : hn::Set(DU(), uint32_t(same_));
  }

 private:
  bool stored_;
  uint8_t same_;
  Words words_;
};

// The look-ups of one word, two tables at a time: sums of even and odd tables, for both halves of a tile.
struct FourSums {
  V low[2], high[2];
};
template <size_t kLookup>
HWY_INLINE void LookUpWord(const float* tables, VU low, VU high, FourSums& sums) {
  if constexpr (kLookup < kLookups) {
    const Table table(tables + kLookup * kEntries);
    constexpr int kShift = int(kLookup) * kIndexBits;
    sums.low[kLookup % 2] = hn::Add(sums.low[kLookup % 2], table[hn::ShiftRight<kShift>(low)]);
    sums.high[kLookup % 2] = hn::Add(sums.high[kLookup % 2], table[hn::ShiftRight<kShift>(high)]);
    LookUpWord<kLookup + 1>(tables, low, high, sums);
  }
}

// job.sums null or not decides about kZeros.
template <bool kZeros>
HWY_INLINE void AddPlanesOf(const PlaneJob& job, const Part& part, float* y) {
  const D d;
  const Rows low(part.first, job.rows), high(part.first + kLanes, job.rows);
  const Words words_low(job.plane, low), words_high(job.plane, high);
  const RowScalars scale_low(job.scale, low), scale_high(job.scale, high);
  const Zeros zeros_low(job, low), zeros_high(job, high);
  V total_low = hn::Load(d, y), total_high = hn::Load(d, y + kLanes);
  for (size_t b = part.begin; b < part.end; ++b) {
    const Block& block = job.blocks[b];
    const float* tables = job.tables + block.table;
    FourSums sums{{hn::Zero(d), hn::Zero(d)}, {hn::Zero(d), hn::Zero(d)}};
    for (size_t w = 0; w < block.words; ++w, tables += kLookups * kEntries)
      LookUpWord<0>(tables, words_low.At(block.byte + 4 * w), words_high.At(block.byte + 4 * w), sums);
    V of_low = hn::Add(sums.low[0], sums.low[1]), of_high = hn::Add(sums.high[0], sums.high[1]);
    if constexpr (kZeros) {
      const V x = hn::Set(d, job.sums[b]);
      of_low = hn::NegMulAdd(hn::ConvertTo(d, hn::BitCast(DI(), zeros_low[b])), x, of_low);
      of_high = hn::NegMulAdd(hn::ConvertTo(d, hn::BitCast(DI(), zeros_high[b])), x, of_high);
    }
    total_low = hn::MulAdd(scale_low.At(b), of_low, total_low);
    total_high = hn::MulAdd(scale_high.At(b), of_high, total_high);
  }
  hn::Store(total_low, d, y);
  hn::Store(total_high, d, y + kLanes);
}

void AddPlanes(const PlaneJob& job, const Part& part, float* y) {
  job.sums ? AddPlanesOf<true>(job, part, y) : AddPlanesOf<false>(job, part, y);
}

void AddCodes(const PlaneJob& job, const float* x, int bits, const Part& part, float* y) {
  const D d;
  const DI di;
  const VU mask = hn::Set(DU(), (1u << bits) - 1);
  for (size_t half = 0; half < 2; ++half) {
    const Rows rows(part.first + half * kLanes, job.rows);
    const Words words(job.plane, rows);
    const RowScalars scale(job.scale, rows);
    const Zeros zeros(job, rows);
    V total = hn::Load(d, y + half * kLanes);
    for (size_t b = part.begin; b < part.end; ++b) {
      const Block& block = job.blocks[b];
      const auto zero = hn::BitCast(di, zeros[b]);
      V sums[2] = {hn::Zero(d), hn::Zero(d)};
      for (size_t j = 0; j < block.width;) {
        const size_t bit = (block.first + j) * size_t(bits), skip = bit & 7;
        const size_t count = HWY_MIN((32 - skip) / size_t(bits), block.width - j);
        VU word = hn::ShiftRightSame(words.At(bit >> 3), int(skip));
        for (size_t i = 0; i < count; ++i, ++j) {
          const auto level = hn::Sub(hn::BitCast(di, hn::And(word, mask)), zero);
          sums[i & 1] = hn::MulAdd(hn::ConvertTo(d, level), hn::Set(d, x[block.first + j]), sums[i & 1]);
          word = hn::ShiftRightSame(word, bits);
        }
      }
      total = hn::MulAdd(scale.At(b), hn::Add(sums[0], sums[1]), total);
    }
    hn::Store(total, d, y + half * kLanes);
  }
}

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::kernels {

HWY_EXPORT(TileRows);
HWY_EXPORT(CanLookUp);
HWY_EXPORT(TableFloats);
HWY_EXPORT(MakeTables);
HWY_EXPORT(AddPlanes);
HWY_EXPORT(AddCodes);

size_t tile_rows() { return HWY_DYNAMIC_DISPATCH(TileRows)(); }
bool can_look_up(int bits) { return HWY_DYNAMIC_DISPATCH(CanLookUp)(bits); }
size_t table_floats(size_t fields, int bits) { return HWY_DYNAMIC_DISPATCH(TableFloats)(fields, bits); }
void make_tables(const float* x, size_t fields, int bits, Weighing weighing, float* tables) {
  HWY_DYNAMIC_DISPATCH(MakeTables)(x, fields, bits, weighing, tables);
}
void add_planes(const PlaneJob& job, const Part& part, float* y) {
  HWY_DYNAMIC_DISPATCH(AddPlanes)(job, part, y);
}
void add_codes(const PlaneJob& job, const float* x, int bits, const Part& part, float* y) {
  HWY_DYNAMIC_DISPATCH(AddCodes)(job, x, bits, part, y);
}

}  // namespace signum::kernels
#endif
