// What the product kernels share: lanes, tables, and reading rows of bits across lanes. Included once for
// every SIMD target.
#if defined(SIGNUM_KERNEL_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNUM_KERNEL_LANES_INL_H
#undef SIGNUM_KERNEL_LANES_INL_H
#else
#define SIGNUM_KERNEL_LANES_INL_H
#endif

#include <hwy/highway.h>

#include <cstring>

#include "kernels/products.h"

// Highway 1.0 names another instruction set here than it asks the machine for.
#if HWY_TARGET == HWY_AVX3_DL && HWY_MAJOR == 1 && HWY_MINOR == 0
#undef HWY_TARGET_STR
#define HWY_TARGET_STR \
  HWY_TARGET_STR_AVX3  \
  ",vpclmulqdq,avx512vbmi,avx512vbmi2,vaes,avxvnni,avx512bitalg,avx512vpopcntdq,avx512vnni"
#endif

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using DI = hn::RebindToSigned<D>;
using DU = hn::RebindToUnsigned<D>;
using V = hn::Vec<D>;
using VU = hn::Vec<DU>;
using M = hn::Mask<D>;

constexpr size_t kLanes = hn::MaxLanes(D());
constexpr size_t kVectors = 4;  // of rows in a tile: as many sums grow beside each other
constexpr size_t kRows = kVectors * kLanes;
static_assert(kRows <= kMaxTileRows);
// Four words (16 bytes) of kLanes rows, one row `stride` bytes behind another; words outermost: out[w * kRows
// + row].
HWY_INLINE void Transpose(const uint8_t* rows, size_t stride, uint32_t* out) {
#if HWY_TARGET == HWY_SCALAR
  (void)stride;
  for (size_t w = 0; w < 4; ++w) std::memcpy(out + w * kRows, rows + 4 * w, 4);
#else
  const DU du;
  // Rows i, i + 4, ... side by side.
  const auto side_by_side = [&](size_t i) -> VU {
    const uint8_t* row = rows + i * stride;
#if HWY_TARGET <= HWY_AVX3
    const auto part = [&](size_t k) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 4 * k * stride));
    };
    __m512i all = _mm512_castsi128_si512(part(0));
    all = _mm512_inserti32x4(all, part(1), 1);
    all = _mm512_inserti32x4(all, part(2), 2);
    return VU{_mm512_inserti32x4(all, part(3), 3)};
#elif HWY_TARGET == HWY_AVX2
    const hn::Half<DU> half;
    const auto part = [&](size_t k) {
      return hn::LoadU(half, reinterpret_cast<const uint32_t*>(row + 4 * k * stride));
    };
    return hn::Combine(du, part(1), part(0));
#else
    return hn::LoadU(du, reinterpret_cast<const uint32_t*>(row));
#endif
  };
  const hn::RepartitionToWide<DU> d64;
  const VU a = side_by_side(0), b = side_by_side(1), c = side_by_side(2), d = side_by_side(3);
  const auto ab = hn::BitCast(d64, hn::InterleaveLower(du, a, b));
  const auto cd = hn::BitCast(d64, hn::InterleaveLower(du, c, d));
  const auto ab2 = hn::BitCast(d64, hn::InterleaveUpper(du, a, b));
  const auto cd2 = hn::BitCast(d64, hn::InterleaveUpper(du, c, d));
  hn::Store(hn::BitCast(du, hn::InterleaveLower(d64, ab, cd)), du, out);
  hn::Store(hn::BitCast(du, hn::InterleaveUpper(d64, ab, cd)), du, out + kRows);
  hn::Store(hn::BitCast(du, hn::InterleaveLower(d64, ab2, cd2)), du, out + 2 * kRows);
  hn::Store(hn::BitCast(du, hn::InterleaveUpper(d64, ab2, cd2)), du, out + 3 * kRows);
#endif
}

constexpr int kFetchLevel = 2;  // of 3: not into the nearest cache, which a tile can be too large for

// The rows of a tile, four words (16 bytes of each row) at a time. Rows beyond the last are the last again.
class TileWords {
 public:
  HWY_INLINE TileWords(const Plane& plane, size_t first, size_t rows)
      : at_(plane.data),
        row_bytes_(plane.row_bytes),
        first_(first),
        last_(rows - 1),
        end_(plane.data ? plane.data + rows * plane.row_bytes : nullptr) {}

  // 32 bits of every row from a byte on, [kRows], valid until the next call; what lies beyond the row is
  // anything. Cheap where bytes come in steps of 4.
  HWY_INLINE const uint32_t* At(size_t byte) {
    const size_t ahead = byte - base_;
    if (HWY_LIKELY(ahead < 16 && ahead % 4 == 0)) return words_ + ahead / 4 * kRows;
    Read(byte);
    return words_;
  }

 private:
  HWY_INLINE void Read(size_t byte) {
    base_ = byte;
    const bool whole =
        first_ + kRows <= last_ + 1 && at_ + (first_ + kRows - 1) * row_bytes_ + byte + 16 <= end_;
    if (HWY_UNLIKELY(!whole)) return ReadLast(byte);
    const uint8_t* row = at_ + first_ * row_bytes_ + byte;
    FetchNext(byte);
    for (size_t v = 0; v < kVectors; ++v, row += kLanes * row_bytes_)
      Transpose(row, row_bytes_, words_ + v * kLanes);
  }
  // As much of the next tile as this call reads of this one, from its beginning on: memory is fastest where
  // it is asked for in order.
  HWY_INLINE void FetchNext(size_t byte) const {
    const uint8_t* from = at_ + (first_ + kRows) * row_bytes_ + kRows * byte;
    for (size_t i = 0; i < kRows * 16; i += 64) __builtin_prefetch(from + i, 0, kFetchLevel);
  }
  // Nothing is read beyond the last row.
  HWY_NOINLINE void ReadLast(size_t byte) {
    HWY_ALIGN uint8_t copies[kLanes][16];
    for (size_t v = 0; v < kVectors; ++v) {
      for (size_t i = 0; i < kLanes; ++i) {
        const uint8_t* from = at_ + HWY_MIN(first_ + v * kLanes + i, last_) * row_bytes_ + byte;
        const size_t there = from < end_ ? HWY_MIN(size_t(16), size_t(end_ - from)) : 0;
        std::memset(copies[i], 0, 16);
        std::memcpy(copies[i], from, there);
      }
      Transpose(copies[0], 16, words_ + v * kLanes);
    }
  }

  HWY_ALIGN uint32_t words_[4 * kRows];
  const uint8_t* at_;
  size_t row_bytes_;
  size_t first_, last_;
  const uint8_t* end_;
  size_t base_ = ~size_t(0) << 8;  // no byte is near it
};

HWY_INLINE VU Lanes(const uint32_t* words, size_t vector) { return hn::Load(DU(), words + vector * kLanes); }

// One scalar of every row of a tile: a tensor [rows, count].
class TileScalars {
 public:
  // slot: where several such tensors lie one after another.
  HWY_INLINE TileScalars(const Scalars& scalars, size_t first, size_t rows, size_t slot = 0)
      : type_(scalars.type),
        per_word_(scalars.type == DType::F32 ? 1 : 2),
        words_(
            {scalars.data ? scalars.data + slot * scalars.count * rows * dtype_bytes(scalars.type) : nullptr,
             scalars.count * dtype_bytes(scalars.type)},
            first, rows) {}

  // Chooses the scalar that operator[] gives, [kVectors] of it. Cheap in ascending order.
  HWY_INLINE void Choose(size_t index) {
    if (HWY_UNLIKELY(index - first_ >= 4 * per_word_)) Convert(index);
    chosen_ = values_ + (index - first_) * kRows;
  }
  HWY_INLINE V operator[](size_t vector) const { return hn::Load(D(), chosen_ + vector * kLanes); }

 private:
  HWY_NOINLINE void Convert(size_t index) {
    first_ = index / per_word_ * per_word_;
    const uint32_t* words = words_.At(first_ / per_word_ * 4);
    for (size_t w = 0; w < 4; ++w)
      for (size_t v = 0; v < kVectors; ++v) {
        const VU word = Lanes(words, w * kVectors + v);
        float* to = values_ + w * per_word_ * kRows + v * kLanes;
        if (type_ == DType::F32) {
          Store(word, to);
        } else if (type_ == DType::BF16) {
          Store(hn::ShiftLeft<16>(word), to);
          Store(hn::And(word, hn::Set(DU(), 0xFFFF0000u)), to + kRows);
        } else {
          hn::Store(FromHalf(hn::ShiftLeft<16>(word)), D(), to);
          hn::Store(FromHalf(word), D(), to + kRows);
        }
      }
  }
  static HWY_INLINE void Store(VU bits, float* to) { hn::Store(hn::BitCast(D(), bits), D(), to); }
  // Of a finite F16 in the upper halves: its bits where an F32 has them, and the exponents' difference made
  // good.
  static HWY_INLINE V FromHalf(VU word) {
    const auto bits = hn::ShiftRight<3>(hn::BitCast(DI(), word));
    const VU kept = hn::And(hn::BitCast(DU(), bits), hn::Set(DU(), 0x8FFFE000u));
    return hn::Mul(hn::BitCast(D(), kept), hn::Set(D(), 0x1p112f));
  }

  HWY_ALIGN float values_[8 * kRows];
  DType type_;
  size_t per_word_;
  TileWords words_;
  size_t first_ = ~size_t(0) << 8;  // index of the first value; none is near it
  const float* chosen_ = nullptr;
};

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
