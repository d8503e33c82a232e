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
constexpr int kIndexBits = kLanes >= 16 ? 4 : kLanes >= 8 ? 3 : 2;  // bits that choose one table entry
constexpr size_t kLookups = (32 + kIndexBits - 1) / kIndexBits;     // of one word
constexpr size_t kEntries = size_t(1) << kIndexBits;                // of one table: one vector

// One table in a register: an entry for every value of the bits that choose.
class Table {
 public:
#if HWY_TARGET == HWY_SCALAR
  explicit HWY_INLINE Table(const float* entries) : entries_(entries) {}
  HWY_INLINE V operator[](VU bits) const {
    return hn::Set(D(), entries_[hn::GetLane(bits) & (kEntries - 1)]);
  }

 private:
  const float* entries_;
#else
  explicit HWY_INLINE Table(const float* entries) : entries_(hn::Load(D(), entries)) {}
  // What the lowest kIndexBits bits of each lane choose.
  HWY_INLINE V operator[](VU bits) const {
#if HWY_TARGET == HWY_AVX3
    return V{_mm512_permutexvar_ps(bits.raw, entries_.raw)};  // takes four bits and leaves the others
#else
    const DI di;
    const auto low = hn::And(hn::BitCast(di, bits), hn::Set(di, int(kEntries - 1)));
    return hn::TableLookupLanes(entries_, hn::IndicesFromVec(D(), low));
#endif
  }

 private:
  V entries_;
#endif
};

// Rows of one half tile in lanes. Lanes beyond the last row read it again.
struct Rows {
  HWY_INLINE Rows(size_t first_row, size_t rows)
      : count(rows), first(HWY_MIN(first_row, rows - 1)), last(first_row + kLanes >= rows) {
    for (size_t i = 0; i < kLanes; ++i) place[i] = int32_t(HWY_MIN(first_row + i, rows - 1) - first);
  }
  HWY_ALIGN int32_t place[kLanes];  // rows after the first
  size_t count;                     // of the whole linear
  size_t first;
  bool last;  // whether the last row is among them
};

// Reads 32 bits of every row at once.
class Words {
 public:
  HWY_INLINE Words(const Plane& plane, const Rows& rows)
      : at_(plane.data ? plane.data + rows.first * plane.row_bytes : nullptr),
        row_bytes_(plane.row_bytes),
        last_(rows.last),
        offsets_(hn::Mul(hn::Load(DI(), rows.place), hn::Set(DI(), int32_t(plane.row_bytes)))) {}

  // From a byte of the rows on, `skip` bytes behind the plane; bits beyond the row are anything. Nothing is
  // read beyond the last row.
  HWY_INLINE VU At(size_t byte, size_t skip = 0) const {
    if (HWY_UNLIKELY(last_))
      return Each(skip + byte, byte < row_bytes_ ? HWY_MIN(size_t(4), row_bytes_ - byte) : 0);
#if HWY_TARGET <= HWY_AVX2
    return hn::GatherOffset(DU(), reinterpret_cast<const uint32_t*>(at_ + skip + byte), offsets_);
#else
    return Each(skip + byte, 4);
#endif
  }

 private:
  HWY_NOINLINE VU Each(size_t byte, size_t bytes) const {
    HWY_ALIGN int32_t offsets[kLanes];
    HWY_ALIGN uint32_t words[kLanes] = {};
    hn::Store(offsets_, DI(), offsets);
    for (size_t i = 0; i < kLanes; ++i) std::memcpy(&words[i], at_ + offsets[i] + byte, bytes);
    return hn::Load(DU(), words);
  }

  const uint8_t* at_;
  size_t row_bytes_;
  bool last_;
  hn::Vec<DI> offsets_;
};

// Reads one scalar of every row at once.
class RowScalars {
 public:
  HWY_INLINE RowScalars(const Scalars& scalars, const Rows& rows)
      : type_(scalars.type),
        bytes_(scalars.type == DType::F32 ? 4 : 2),
        slot_bytes_(scalars.count * rows.count * bytes_),
        words_({scalars.data, scalars.count * bytes_}, rows) {}

  // Where slots lie one after another, [rows, count] each.
  HWY_INLINE V At(size_t index, size_t slot = 0) const {
    const D d;
    const VU words = words_.At(index * bytes_, slot * slot_bytes_);
    if (type_ == DType::F32) return hn::BitCast(d, words);
    if (type_ == DType::BF16) return hn::BitCast(d, hn::ShiftLeft<16>(words));
    const hn::Rebind<uint16_t, DU> d16;
    const hn::Rebind<hwy::float16_t, D> dh;
    const auto low = hn::TruncateTo(d16, hn::And(words, hn::Set(DU(), 0xFFFFu)));
    return hn::PromoteTo(d, hn::BitCast(dh, low));
  }

 private:
  DType type_;
  size_t bytes_;
  size_t slot_bytes_;
  Words words_;
};

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
