// Products of codes of any width from 1 to 8 bits, in groups that may begin at any bit: along the rows, by
// conversion.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/code_kernels.cc"
#include "kernels/targets.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

size_t CodeStep() { return kLanes; }

// Bits of codes that choose one of a vector's levels.
constexpr int kLevelBits = kLanes >= 16 ? 4 : kLanes >= 8 ? 3 : 0;

// Where the codes of kLanes columns lie, by the bit of a byte that the first one begins at.
struct Places {
  explicit Places(int bits) {
    for (size_t skip = 0; skip < 8; ++skip)
      for (size_t i = 0; i < kLanes; ++i) {
        const size_t bit = skip + i * size_t(bits);
        uint8_t* place = bytes[skip] + 4 * i;
        place[0] = uint8_t(bit / 8);
        place[1] = bit / 8 + 1 < 16 ? uint8_t(bit / 8 + 1) : 0x80;
        place[2] = place[3] = 0x80;
        shifts[skip][i] = uint32_t(bit % 8);
        starts[skip][i] = uint32_t(bit);
      }
  }
  HWY_ALIGN uint8_t bytes[8][4 * kLanes];  // which two bytes of 16 a code lies in
  HWY_ALIGN uint32_t shifts[8][kLanes];    // and from which bit of them on
  HWY_ALIGN uint32_t starts[8][kLanes];    // from which bit of all on
};

// The codes that begin at a bit of a row, one in the lowest bits of each lane. 16 bytes are read. kLevels:
// codes of few bits, of which the permutation looks at no others.
template <bool kLevels>
HWY_INLINE VU CodesAt(const uint8_t* row, size_t bit, [[maybe_unused]] const Places& places) {
#if HWY_TARGET == HWY_SCALAR
  uint16_t word;
  std::memcpy(&word, row + bit / 8, 2);
  return hn::Set(DU(), uint32_t(word) >> (bit % 8));
#else
#if HWY_TARGET <= HWY_AVX3_DL
  if constexpr (kLevels) {
    int64_t word;
    std::memcpy(&word, row + bit / 8, 8);
    return VU{
        _mm512_multishift_epi64_epi8(_mm512_load_si512(places.starts[bit % 8]), _mm512_set1_epi64(word))};
  }
#endif
  const hn::Repartition<uint8_t, DU> d8;
  const auto bytes = hn::LoadDup128(d8, row + bit / 8);
  const VU words = hn::BitCast(DU(), hn::TableLookupBytesOr0(bytes, hn::Load(d8, places.bytes[bit % 8])));
  return hn::Shr(words, hn::Load(DU(), places.shifts[bit % 8]));
#endif
}

// What codes count in one group of a row: code - zero.
template <bool kLevels>
struct Level {
  HWY_INLINE void Start(int zero, [[maybe_unused]] int bits) {
#if HWY_TARGET <= HWY_AVX2
    if constexpr (kLevels) {
      const auto codes = hn::And(hn::Iota(DI(), 0), hn::Set(DI(), (1 << bits) - 1));
      of = hn::ConvertTo(D(), hn::Sub(codes, hn::Set(DI(), zero)));
      return;
    }
#endif
    of = hn::Set(D(), 8388608.0f + float(zero));
  }
  HWY_INLINE V operator()(VU codes, [[maybe_unused]] VU mask) const {
#if HWY_TARGET <= HWY_AVX3
    if constexpr (kLevels) return V{_mm512_permutexvar_ps(codes.raw, of.raw)};
#elif HWY_TARGET == HWY_AVX2
    if constexpr (kLevels) return V{_mm256_permutevar8x32_ps(of.raw, codes.raw)};
#endif
    // In the lowest bits of 2^23's F32, a code adds itself.
    const VU bits = hn::Or(hn::And(codes, mask), hn::Set(DU(), 0x4B000000u));
    return hn::Sub(hn::BitCast(D(), bits), of);
  }
  V of;  // the levels, or what is taken off
};

// The zero and the scale of one row's groups.
struct RowGroups {
  const uint8_t* scale;
  const uint8_t* zero;  // null: the same for all
};

// kSide rows at once share what is read of x. rows [kSide]: 16 bytes beyond them can be read.
template <size_t kSide, bool kLevels>
HWY_INLINE void AddRows(const CodeJob& job, const uint8_t* const* rows, const RowGroups* groups, float* y) {
  const D d;
  const Places& places = *static_cast<const Places*>(job.places);
  const VU mask = hn::Set(DU(), (1u << job.bits) - 1);
  V total[kSide];
  for (V& one : total) one = hn::Zero(d);
  const float* x = job.x;
  for (size_t b = 0; b < job.block_count; ++b) {
    const Block& block = job.blocks[b];
    V sums[kSide];
    Level<kLevels> level[kSide];
    for (size_t r = 0; r < kSide; ++r) {
      sums[r] = hn::Zero(d);
      level[r].Start(groups[r].zero ? groups[r].zero[b] : job.zero, job.bits);
    }
    for (size_t j = 0; j < block.width; j += kLanes, x += kLanes) {
      const V inputs = hn::Load(d, x);
      for (size_t r = 0; r < kSide; ++r) {
        const VU codes = CodesAt<kLevels>(rows[r], (block.first + j) * size_t(job.bits), places);
        sums[r] = hn::MulAdd(level[r](codes, mask), inputs, sums[r]);
      }
    }
    for (size_t r = 0; r < kSide; ++r)
      total[r] = hn::MulAdd(hn::Set(d, scalar_at(job.scale.type, groups[r].scale, b)), sums[r], total[r]);
  }
  for (size_t r = 0; r < kSide; ++r) y[r] += hn::GetLane(hn::SumOfLanes(d, total[r]));
}

template <bool kLevels>
HWY_INLINE void AddCodesOf(const CodeJob& job, size_t first, size_t last, float* y) {
  constexpr size_t kSide = 4;
  const size_t scale_bytes = job.scale.count * dtype_bytes(job.scale.type);
  const auto groups = [&](size_t i) -> RowGroups {
    return {job.scale.data + i * scale_bytes, job.zeros ? job.zeros + i * job.block_count : nullptr};
  };
  // Rows with 16 bytes behind them.
  const size_t row_bytes = job.plane.row_bytes;
  const size_t behind = HWY_MIN(job.rows, (16 + row_bytes - 1) / row_bytes);
  const size_t safe = HWY_MAX(first, HWY_MIN(last, job.rows - behind));
  size_t i = first;
  for (; i + kSide <= safe; i += kSide) {
    const uint8_t* rows[kSide];
    RowGroups of[kSide];
    for (size_t r = 0; r < kSide; ++r) {
      rows[r] = job.plane.data + (i + r) * row_bytes;
      of[r] = groups(i + r);
    }
    AddRows<kSide, kLevels>(job, rows, of, y + (i - first));
  }
  std::vector<uint8_t> copy(row_bytes + 16);
  for (; i < last; ++i) {
    std::memcpy(copy.data(), job.plane.data + i * row_bytes, row_bytes);
    const uint8_t* row = copy.data();
    const RowGroups of = groups(i);
    AddRows<1, kLevels>(job, &row, &of, y + (i - first));
  }
}

void AddCodes(const CodeJob& job, size_t first, size_t last, float* y) {
  // With room for the bits before the first code in the 64 that are read.
  const bool levels = job.bits <= kLevelBits && size_t(job.bits) * kLanes + 7 <= 64;
  levels ? AddCodesOf<true>(job, first, last, y) : AddCodesOf<false>(job, first, last, y);
}

std::shared_ptr<const void> MakePlaces(int bits) { return std::make_shared<Places>(bits); }

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::kernels {

HWY_EXPORT(CodeStep);
HWY_EXPORT(MakePlaces);
HWY_EXPORT(AddCodes);

size_t code_step() { return HWY_DYNAMIC_DISPATCH(CodeStep)(); }
std::shared_ptr<const void> make_places(int bits) { return HWY_DYNAMIC_DISPATCH(MakePlaces)(bits); }
void add_codes(const CodeJob& job, size_t first, size_t last, float* y) {
  HWY_DYNAMIC_DISPATCH(AddCodes)(job, first, last, y);
}

}  // namespace signum::kernels
#endif
