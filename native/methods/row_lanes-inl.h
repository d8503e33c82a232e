// What the tile kernels of the methods share: 16 rows in lanes, and the small steps of binarization. Included
// once for every SIMD target.
#if defined(SIGNUM_ROW_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGNUM_ROW_LANES_INL_H
#undef SIGNUM_ROW_LANES_INL_H
#else
#define SIGNUM_ROW_LANES_INL_H
#endif

#include <hwy/highway.h>

#include "methods/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kTileRows>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

// sum / count, 0 for an empty group.
HWY_INLINE V MeanOrZero(D d, V sum, V count) {
  return hn::IfThenElseZero(hn::Gt(count, hn::Zero(d)), hn::Div(sum, hn::Max(count, hn::Set(d, 1.0f))));
}

// x - alpha sign(x), sign(0) = 0: what one binary order leaves.
HWY_INLINE V Residual(D d, V x, V alpha) {
  return hn::IfThenElse(hn::Ne(x, hn::Zero(d)), hn::Sub(x, hn::CopySign(alpha, x)), x);
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
