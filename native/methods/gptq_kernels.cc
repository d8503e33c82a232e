#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/gptq_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/gptq_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

void GptqColumns(float* weight, size_t begin, size_t end, size_t width, ConstView u, const float* r_diagonal,
                 const TileGrids& grids, float highest, float* codes, float* quantized) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const V step = hn::Load(d, grids.step + lane), zero = hn::Load(d, grids.zero + lane);
    const V most = hn::Set(d, highest);
    for (size_t j = begin; j < end; ++j) {
      const V w = hn::Load(d, weight + j * kTileRows + lane);
      const V code = GridCode(d, w, step, zero, most);
      const V q = hn::Mul(step, hn::Sub(code, zero));
      hn::Store(code, d, codes + j * kTileRows + lane);
      hn::Store(q, d, quantized + j * kTileRows + lane);
      PassOn(d, hn::Mul(hn::Sub(w, q), hn::Set(d, r_diagonal[j])), u.row(j), j + 1, width, weight + lane);
    }
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(GptqColumns);

void gptq_columns(float* weight, size_t begin, size_t end, size_t width, ConstView u, const float* r_diagonal,
                  const TileGrids& grids, float highest, float* codes, float* quantized) {
  HWY_DYNAMIC_DISPATCH(GptqColumns)
  (weight, begin, end, width, u, r_diagonal, grids, highest, codes, quantized);
}

}  // namespace signum
#endif
