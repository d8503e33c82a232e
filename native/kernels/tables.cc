// Tables of the sums of x that the bits of a few columns can choose.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tables.cc"
#include "kernels/targets.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include "kernels/look_up-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

size_t TileRows() { return kRows; }

bool CanLookUp(int bits) { return kIndexBits % bits == 0 && 32 % bits == 0; }

size_t TableBytes(size_t fields, int bits) { return (fields * size_t(bits) + 31) / 32 * kWordTables; }

// What a field weighs its column with, by its code.
HWY_INLINE float WeightOf(Weighing weighing, uint32_t code, int bits) {
  switch (weighing) {
    case Weighing::Signs:
      return code ? 1.0f : -1.0f;
    case Weighing::Bits:
      return float(code);
    case Weighing::Codes:
      break;
  }
  return float(code) - float(1u << (bits - 1));
}

constexpr size_t kEntries = size_t(1) << kIndexBits;
// Weights of each field that one look-up takes in every entry.
struct Weights {
  Weights(int bits, Weighing weighing) {
    for (size_t i = 0; i < size_t(kIndexBits / bits); ++i)
      for (size_t e = 0; e < kEntries; ++e)
        of[i][e] = WeightOf(weighing, uint32_t(e >> (i * size_t(bits))) & ((1u << bits) - 1), bits);
  }
  HWY_ALIGN float of[kIndexBits][kEntries];
};

#if HWY_TARGET <= HWY_AVX3_DL

// The bytes 0, 1 and 2 of four vectors' lanes, vector after vector.
HWY_INLINE void StoreBytes(const __m512i* lanes, uint8_t* to) {
  for (size_t part = 0; part < kParts; ++part)
    for (size_t v = 0; v < 4; ++v)
      _mm_store_si128(reinterpret_cast<__m128i*>(to + 64 * part + 16 * v),
                      _mm512_cvtepi32_epi8(_mm512_srli_epi32(lanes[v], unsigned(8 * part))));
}

float MakeTables(const float* x, size_t fields, int bits, Weighing weighing, uint8_t* tables) {
  const D d;
  const Weights weights(bits, weighing);
  const size_t per_lookup = size_t(kIndexBits / bits), per_word = 32 / size_t(bits);
  // No entry is larger than the sum of its fields' |x| times the largest weight.
  float largest = 0, all = 0;
  for (size_t first = 0; first < fields; first += per_lookup) {
    float sum = 0;
    for (size_t j = first; j < HWY_MIN(first + per_lookup, fields); ++j) sum += std::abs(x[j]);
    largest = HWY_MAX(largest, sum);
    all += sum;
  }
  if (!std::isfinite(all)) return all;  // and so is every product
  if (weighing == Weighing::Codes) largest *= float(1u << (bits - 1));
  const float unit = largest > 0 ? largest / kLargest : 1.0f;
  if (!(unit > 0x1p-126f)) {  // too small to divide by: nothing that a sum would show
    for (size_t word = 0; word < fields; word += per_word, tables += kWordTables)
      for (size_t i = 0; i < kWordTables; ++i) tables[i] = i / 64 % kParts == 2 ? kBias : 0;
    return 0.0f;
  }
  const float units = 1 / unit;
  // Added to a number, it leaves the number's whole units in the lower bits of the sum's F32.
  const V magic = hn::Set(d, 12582912.0f);
  HWY_ALIGN float inputs[32] = {};
  for (size_t word = 0; word < fields; word += per_word, tables += kWordTables) {
    const size_t there = HWY_MIN(per_word, fields - word);
    for (size_t j = 0; j < there; ++j) inputs[j] = x[word + j] * units;
    for (size_t j = there; j < per_word; ++j) inputs[j] = 0;
    for (size_t lookup = 0; lookup < kLookups; ++lookup) {
      __m512i lanes[kPlaces];
      for (size_t place = 0; place < kPlaces; ++place) {
        const float* of_place = inputs + (2 * place + lookup) * per_lookup;
        V sum = hn::Zero(d);
        for (size_t i = 0; i < per_lookup; ++i)
          sum = hn::MulAdd(hn::Load(d, weights.of[i]), hn::Set(d, of_place[i]), sum);
        lanes[place] = _mm512_castps_si512(hn::Add(sum, magic).raw);
      }
      StoreBytes(lanes, tables + lookup * kTableBytes);
    }
  }
  return unit;
}

#else

float MakeTables(const float* x, size_t fields, int bits, Weighing weighing, uint8_t* bytes) {
  const Weights weights(bits, weighing);
  const size_t per_lookup = size_t(kIndexBits / bits), per_word = 32 / size_t(bits);
  const hn::CappedTag<float, kEntries> d;
  float* tables = reinterpret_cast<float*>(bytes);
  for (size_t word = 0; word < fields; word += per_word)
    for (size_t lookup = 0; lookup < kLookups; ++lookup, tables += kEntries) {
      // The last look-up of a word may have fewer fields, and the last word too.
      const size_t first = lookup * per_lookup, end = HWY_MIN(per_word, fields - word);
      const size_t count = first < end ? HWY_MIN(per_lookup, end - first) : 0;
      for (size_t e = 0; e < kEntries; e += hn::Lanes(d)) {
        auto sum = hn::Zero(d);
        for (size_t i = 0; i < count; ++i)
          sum = hn::MulAdd(hn::Load(d, weights.of[i] + e), hn::Set(d, x[word + first + i]), sum);
        hn::Store(sum, d, tables + e);
      }
    }
  return 1.0f;
}

#endif

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::kernels {

HWY_EXPORT(TileRows);
HWY_EXPORT(CanLookUp);
HWY_EXPORT(TableBytes);
HWY_EXPORT(MakeTables);

size_t tile_rows() { return HWY_DYNAMIC_DISPATCH(TileRows)(); }
bool can_look_up(int bits) { return HWY_DYNAMIC_DISPATCH(CanLookUp)(bits); }
size_t table_bytes(size_t fields, int bits) { return HWY_DYNAMIC_DISPATCH(TableBytes)(fields, bits); }
float make_tables(const float* x, size_t fields, int bits, Weighing weighing, uint8_t* tables) {
  return HWY_DYNAMIC_DISPATCH(MakeTables)(x, fields, bits, weighing, tables);
}

}  // namespace signum::kernels
#endif
