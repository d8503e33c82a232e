#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/decode_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/decode_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace signum::decode_kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

constexpr size_t kLanes = hn::MaxLanes(D());

bool Bit(Bits bits, size_t j) { return bits && (bits[j >> 3] >> (j & 7) & 1); }

// Of columns [j, j + kLanes). No byte without one of their bits is read.
HWY_INLINE M MaskAt(Bits bits, size_t j) {
  const uint8_t* at = bits + (j >> 3);
  const size_t skip = j & 7;
  if (kLanes >= 8 && skip == 0) return hn::LoadMaskBits(D(), at);
  uint32_t word = at[0];
  for (size_t byte = 1; 8 * byte < skip + kLanes; ++byte) word |= uint32_t(at[byte]) << (8 * byte);
  word >>= skip;
  const uint8_t bytes[8] = {uint8_t(word), uint8_t(word >> 8)};
  return hn::LoadMaskBits(D(), bytes);
}

// x or -x.
HWY_INLINE V WithSign(M plus, V x) { return hn::IfThenElse(plus, x, hn::Neg(x)); }

void Signs(Bits sign, size_t first, size_t count, float row, const float* column, bool add, float* out) {
  const D d;
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const V scale = hn::Set(d, row);
    V value = WithSign(MaskAt(sign, first + j), column ? hn::Mul(scale, hn::LoadU(d, column + j)) : scale);
    if (add) value = hn::Add(hn::LoadU(d, out + j), value);
    hn::StoreU(value, d, out + j);
  }
  for (; j < count; ++j) {
    const float scale = column ? row * column[j] : row, value = Bit(sign, first + j) ? scale : -scale;
    out[j] = add ? out[j] + value : value;
  }
}

void Levels(Bits low, Bits high, size_t first, size_t count, const float* level, float* out) {
  const D d;
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const M one = MaskAt(low, first + j);
    V value = hn::IfThenElse(one, hn::Set(d, level[1]), hn::Set(d, level[0]));
    if (high) {
      const V upper = hn::IfThenElse(one, hn::Set(d, level[3]), hn::Set(d, level[2]));
      value = hn::IfThenElse(MaskAt(high, first + j), upper, value);
    }
    hn::StoreU(value, d, out + j);
  }
  for (; j < count; ++j) out[j] = level[2 * Bit(high, first + j) + Bit(low, first + j)];
}

void RankOne(Bits sign, Bits group, size_t first, size_t count, const float* row, const float* const* column,
             float* out) {
  const D d;
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const V sparse = hn::Mul(hn::Set(d, row[0]), hn::LoadU(d, column[0] + j));
    const V concentrated = hn::Mul(hn::Set(d, row[1]), hn::LoadU(d, column[1] + j));
    const V value = hn::IfThenElse(MaskAt(group, first + j), sparse, concentrated);
    hn::StoreU(WithSign(MaskAt(sign, first + j), value), d, out + j);
  }
  for (; j < count; ++j) {
    const size_t g = Bit(group, first + j) ? 0 : 1;
    const float value = row[g] * column[g][j];
    out[j] = Bit(sign, first + j) ? value : -value;
  }
}

void Codes(const uint8_t* codes, size_t count, float scale, int zero, float* out) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::Rebind<uint8_t, decltype(di)> d8;
  size_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    const auto level = hn::Sub(hn::PromoteTo(di, hn::LoadU(d8, codes + j)), hn::Set(di, zero));
    hn::StoreU(hn::Mul(hn::Set(d, scale), hn::ConvertTo(d, level)), d, out + j);
  }
  for (; j < count; ++j) out[j] = scale * float(int(codes[j]) - zero);
}

}  // namespace signum::decode_kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::decode_kernels {

HWY_EXPORT(Signs);
HWY_EXPORT(Levels);
HWY_EXPORT(RankOne);
HWY_EXPORT(Codes);

void signs(Bits sign, size_t first, size_t count, float row, const float* column, bool add, float* out) {
  HWY_DYNAMIC_DISPATCH(Signs)(sign, first, count, row, column, add, out);
}
void levels(Bits low, Bits high, size_t first, size_t count, const float level[4], float* out) {
  HWY_DYNAMIC_DISPATCH(Levels)(low, high, first, count, level, out);
}
void rank_one(Bits sign, Bits group, size_t first, size_t count, const float row[2],
              const float* const column[2], float* out) {
  HWY_DYNAMIC_DISPATCH(RankOne)(sign, group, first, count, row, column, out);
}
void codes(const uint8_t* codes, size_t count, float scale, int zero, float* out) {
  HWY_DYNAMIC_DISPATCH(Codes)(codes, count, scale, zero, out);
}

}  // namespace signum::decode_kernels
#endif
