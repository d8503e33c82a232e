#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/grid_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/grid_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

void TileRanges(const float* weight, size_t width, float* least, float* most) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    V low = hn::Zero(d), high = hn::Zero(d);
    for (size_t j = 0; j < width; ++j) {
      const V w = hn::Load(d, weight + j * kTileRows + lane);
      low = hn::Min(low, w);
      high = hn::Max(high, w);
    }
    hn::Store(low, d, least + lane);
    hn::Store(high, d, most + lane);
  }
}

struct GridOf {
  V step, zero, highest;
  V Code(D d, V w) const { return GridCode(d, w, step, zero, highest); }
};

HWY_INLINE GridOf LoadGrid(D d, const TileGrids& grids, float highest, size_t lane) {
  return {hn::Load(d, grids.step + lane), hn::Load(d, grids.zero + lane), hn::Set(d, highest)};
}

void GridCodes(const float* weight, size_t width, const TileGrids& grids, float highest, float* codes) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const GridOf grid = LoadGrid(d, grids, highest, lane);
    for (size_t j = 0; j < width; ++j)
      hn::Store(grid.Code(d, hn::Load(d, weight + j * kTileRows + lane)), d, codes + j * kTileRows + lane);
  }
}

// |x|^2.4 to a few units in the last place: a (a z^4), a = x^2, z = a^(-1/5). The first z is made from the
// exponent (relative error below 0.033); with h = 1 - a z^5 the true one is z (1 + h/5 + 3h^2/25 + 11h^3/125
// + ...).
HWY_INLINE V Power24(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V a = hn::Mul(x, x), one = hn::Set(d, 1.0f), fifth = hn::Set(d, 0.2f);
  const V bits = hn::ConvertTo(d, hn::BitCast(di, a));
  V z = hn::BitCast(d, hn::ConvertTo(di, hn::Sub(hn::Set(d, 1277923859.0f), hn::Mul(bits, fifth))));
  const auto fourth_power = [&] {
    const V square = hn::Mul(z, z);
    return hn::Mul(square, square);
  };
  V h = hn::Sub(one, hn::Mul(hn::Mul(a, fourth_power()), z));
  const V later = hn::Add(hn::Set(d, 0.12f), hn::Mul(h, hn::Set(d, 0.088f)));
  z = hn::Add(z, hn::Mul(z, hn::Mul(h, hn::Add(fifth, hn::Mul(h, later)))));
  h = hn::Sub(one, hn::Mul(hn::Mul(a, fourth_power()), z));
  z = hn::Add(z, hn::Mul(z, hn::Mul(h, fifth)));
  return hn::Mul(a, hn::Mul(a, fourth_power()));
}

void GridError(const float* weight, size_t width, const TileGrids& grids, float highest, const float* least,
               float* error) {
  constexpr size_t kStretch = 16;  // columns between two looks at what the sums have come to
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const GridOf grid = LoadGrid(d, grids, highest, lane);
    const V bound = hn::Load(d, least + lane);
    V sum = hn::Zero(d);
    for (size_t j = 0; j < width; ++j) {
      if (j % kStretch == 0 && hn::AllTrue(d, hn::Ge(sum, bound))) break;
      const V w = hn::Load(d, weight + j * kTileRows + lane);
      const V value = hn::Mul(grid.step, hn::Sub(grid.Code(d, w), grid.zero));
      sum = hn::Add(sum, Power24(d, hn::Sub(value, w)));
    }
    hn::Store(sum, d, error + lane);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(TileRanges);
HWY_EXPORT(GridCodes);
HWY_EXPORT(GridError);

void tile_ranges(const float* weight, size_t width, float* least, float* most) {
  HWY_DYNAMIC_DISPATCH(TileRanges)(weight, width, least, most);
}
void grid_codes(const float* weight, size_t width, const TileGrids& grids, float highest, float* codes) {
  HWY_DYNAMIC_DISPATCH(GridCodes)(weight, width, grids, highest, codes);
}
void grid_error(const float* weight, size_t width, const TileGrids& grids, float highest, const float* least,
                float* error) {
  HWY_DYNAMIC_DISPATCH(GridError)(weight, width, grids, highest, least, error);
}

}  // namespace signum
#endif
