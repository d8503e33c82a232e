#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/gptq_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/gptq_kernels.h"
#include "methods/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void GptqColumns(float* weight, size_t begin, size_t end, size_t width, ConstView u, const float* r_diagonal,
                 const TileGrids& grids, float highest, float* codes, float* quantized) {
  const hn::CappedTag<float, kTileRows> d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto s = hn::Load(d, grids.step + lane), z = hn::Load(d, grids.zero + lane);
    const auto most = hn::Set(d, highest);
    for (size_t j = begin; j < end; ++j) {
      const auto w = hn::Load(d, weight + j * kTileRows + lane);
      const auto code = hn::Min(hn::Max(hn::Add(hn::Round(hn::Div(w, s)), z), hn::Zero(d)), most);
      const auto q = hn::Mul(s, hn::Sub(code, z));
      hn::Store(code, d, codes + j * kTileRows + lane);
      hn::Store(q, d, quantized + j * kTileRows + lane);
      const auto error = hn::Mul(hn::Sub(w, q), hn::Set(d, r_diagonal[j]));
      const float* u_row = u.row(j);
      float* later = weight + lane;
      for (size_t l = j + 1; l < width; ++l)
        hn::Store(hn::NegMulAdd(error, hn::Set(d, u_row[l]), hn::Load(d, later + l * kTileRows)), d,
                  later + l * kTileRows);
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
