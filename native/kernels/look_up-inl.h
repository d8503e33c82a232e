// Looking up sums in tables, by bits. Included once for every SIMD target.
//
// With AVX-512 VBMI and VNNI a table entry is an integer of three bytes, and its bytes lie in three tables:
// one permutation looks up four places of 16 entries in every row, one dot product adds the four to a row's
// sum. Elsewhere an entry is an F32, and a permutation looks up one place in every row.
#if defined(SIGNUM_KERNEL_LOOK_UP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNUM_KERNEL_LOOK_UP_INL_H
#undef SIGNUM_KERNEL_LOOK_UP_INL_H
#else
#define SIGNUM_KERNEL_LOOK_UP_INL_H
#endif

#include <cmath>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

#if HWY_TARGET <= HWY_AVX3_DL

constexpr int kIndexBits = 4;
constexpr size_t kPlaces = 4;   // of one look-up: a byte of the word each
constexpr size_t kLookups = 2;  // of one word: the lower and the upper half of its bytes
constexpr size_t kParts = 3;    // bytes of an entry
constexpr size_t kTableBytes = 64 * kParts;
constexpr float kLargest = 0x3FFFF0;  // entry: what 23 bits hold, short of rounding
constexpr size_t kBias = 64;          // what the upper bytes of all entries have too much

// The bits of a word that choose, look-up by look-up: four of each byte, and above them the byte's place.
struct Bits {
  HWY_INLINE VU Next() {
    const VU four{
        _mm512_ternarylogic_epi32(rest.raw, Set(0x0F0F0F0F), Set(0x30201000), 0xEA)};  // (a & b) | c
    rest = hn::ShiftRight<4>(rest);
    return four;
  }
  // What chooses by bits that are the same in both.
  static HWY_INLINE VU Same(VU a, VU b) {
    return VU{_mm512_ternarylogic_epi32(a.raw, b.raw, Set(0x3F2F1F0F), 0x96)};  // a ^ b ^ c
  }
  static HWY_INLINE __m512i Set(int value) { return _mm512_set1_epi32(value); }

  VU rest;  // at first the word
};

class Table {
 public:
  explicit HWY_INLINE Table(const uint8_t* bytes) {
    for (size_t i = 0; i < kParts; ++i) parts_[i] = _mm512_load_si512(bytes + 64 * i);
  }
  HWY_INLINE __m512i Part(size_t i, VU index) const { return _mm512_permutexvar_epi8(index.raw, parts_[i]); }

 private:
  __m512i parts_[kParts];
};

// A sum of entries for every row of a vector.
class LookUpSum {
 public:
  // words: how many will be added; 0 where as many are taken off.
  HWY_INLINE void Clear(size_t words) {
    parts_[0] = parts_[1] = _mm512_setzero_si512();
    parts_[2] = _mm512_set1_epi32(-int(words * kLookups * kPlaces * kBias));
  }
  HWY_INLINE void Add(const Table& table, VU index) { AddTimes(table, index, 0x01010101); }
  HWY_INLINE void Take(const Table& table, VU index) { AddTimes(table, index, -1); }
  HWY_INLINE V Value(float unit) const {
    const D d;
    const __m512i low = _mm512_add_epi32(parts_[0], _mm512_slli_epi32(parts_[1], 8));
    const V units =
        hn::MulAdd(V{_mm512_cvtepi32_ps(parts_[2])}, hn::Set(d, 65536.0f), V{_mm512_cvtepi32_ps(low)});
    return hn::Mul(units, hn::Set(d, unit));
  }

 private:
  HWY_INLINE void AddTimes(const Table& table, VU index, int times) {
    const __m512i four = _mm512_set1_epi32(times);
    for (size_t i = 0; i < kParts; ++i)
      parts_[i] = _mm512_dpbusd_epi32(parts_[i], table.Part(i, index), four);
  }
  __m512i parts_[kParts];
};

#else

constexpr int kIndexBits = kLanes >= 16 ? 4 : kLanes >= 8 ? 3 : 2;
constexpr size_t kPlaces = 1;
constexpr size_t kLookups = (32 + kIndexBits - 1) / kIndexBits;
constexpr size_t kTableBytes = sizeof(float) << kIndexBits;

struct Bits {
  HWY_INLINE VU Next() {
    const VU next = rest;
    rest = hn::ShiftRight<kIndexBits>(rest);
    return next;
  }
  static HWY_INLINE VU Same(VU a, VU b) { return hn::Not(hn::Xor(a, b)); }

  VU rest;
};

class Table {
 public:
#if HWY_TARGET == HWY_SCALAR
  explicit HWY_INLINE Table(const uint8_t* bytes) : entries_(reinterpret_cast<const float*>(bytes)) {}
  HWY_INLINE V operator[](VU bits) const {
    return hn::Set(D(), entries_[hn::GetLane(bits) & ((1u << kIndexBits) - 1)]);
  }

 private:
  const float* entries_;
#else
  explicit HWY_INLINE Table(const uint8_t* bytes)
      : entries_(hn::Load(D(), reinterpret_cast<const float*>(bytes))) {}
  // What the lowest kIndexBits bits of each lane choose; the permutations of x86 leave the others alone.
  HWY_INLINE V operator[](VU bits) const {
#if HWY_TARGET <= HWY_AVX3
    return V{_mm512_permutexvar_ps(bits.raw, entries_.raw)};
#elif HWY_TARGET == HWY_AVX2
    return V{_mm256_permutevar8x32_ps(entries_.raw, bits.raw)};
#else
    const DI di;
    const auto low = hn::And(hn::BitCast(di, bits), hn::Set(di, (1 << kIndexBits) - 1));
    return hn::TableLookupLanes(entries_, hn::IndicesFromVec(D(), low));
#endif
  }

 private:
  V entries_;
#endif
};

class LookUpSum {
 public:
  HWY_INLINE void Clear(size_t) { sum_ = hn::Zero(D()); }
  HWY_INLINE void Add(const Table& table, VU index) { sum_ = hn::Add(sum_, table[index]); }
  HWY_INLINE void Take(const Table& table, VU index) { sum_ = hn::Sub(sum_, table[index]); }
  HWY_INLINE V Value(float) const { return sum_; }

 private:
  V sum_;
};

#endif

constexpr size_t kWordTables = kLookups * kTableBytes;

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
