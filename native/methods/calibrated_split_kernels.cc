#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/calibrated_split_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <cmath>

#include "methods/calibrated_split_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

void SortRows(const float* tile, size_t columns, float* sorted, float* column) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    float *x = sorted + lane, *from = column + lane;
    for (size_t j = 0; j < columns; ++j) {
      hn::Store(hn::Load(d, tile + lane + j * kTileRows), d, x + j * kTileRows);
      hn::Store(hn::Set(d, float(j)), d, from + j * kTileRows);
    }
    SortNetwork(columns, [&](size_t low, size_t high) {
      low *= kTileRows;
      high *= kTileRows;
      const V a = hn::Load(d, x + low), b = hn::Load(d, x + high);
      const V from_a = hn::Load(d, from + low), from_b = hn::Load(d, from + high);
      const M swap = hn::Lt(b, a);
      hn::Store(hn::IfThenElse(swap, b, a), d, x + low);
      hn::Store(hn::IfThenElse(swap, a, b), d, x + high);
      hn::Store(hn::IfThenElse(swap, from_b, from_a), d, from + low);
      hn::Store(hn::IfThenElse(swap, from_a, from_b), d, from + high);
    });
  }
}

void RunningSums(const float* sorted, size_t n, float* sum) {
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<float, decltype(d)> d32;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    auto total = hn::Zero(d);
    for (size_t i = 0; i <= n; ++i) {
      hn::StoreU(hn::DemoteTo(d32, total), d32, sum + i * kTileRows + lane);
      if (i < n) total = hn::Add(total, hn::PromoteTo(d, hn::LoadU(d32, sorted + i * kTileRows + lane)));
    }
  }
}

// Columns [i, i + kColumns) of S y.
template <size_t kColumns>
HWY_INLINE void ProductColumns(D d, const float* gram, size_t stride, const float* y, size_t rows, size_t i,
                               float* product) {
  V sum[kColumns];
  for (V& s : sum) s = hn::Zero(d);
  for (size_t j = 0; j < rows; ++j) {
    const V v = hn::Load(d, y + j * kTileRows);
    for (size_t c = 0; c < kColumns; ++c)
      sum[c] = hn::MulAdd(hn::Set(d, gram[j * stride + i + c]), v, sum[c]);
  }
  for (size_t c = 0; c < kColumns; ++c) hn::Store(sum[c], d, product + (i + c) * kTileRows);
}

void GramProduct(const float* gram, size_t stride, const float* y, size_t rows, size_t n, float* product) {
  const D d;
  constexpr size_t kColumns = 8;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    size_t i = 0;
    for (; i + kColumns <= n; i += kColumns)
      ProductColumns<kColumns>(d, gram, stride, y + lane, rows, i, product + lane);
    for (; i < n; ++i) ProductColumns<1>(d, gram, stride, y + lane, rows, i, product + lane);
  }
}

void FixProducts(const float* product, size_t n, int32_t* value, double* unit) {
  const D d;
  const hn::RebindToSigned<D> di;
  HWY_ALIGN float rows[kTileRows];
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    V largest = hn::Zero(d);
    for (size_t j = 0; j < n; ++j)
      largest = hn::Max(largest, hn::Abs(hn::Load(d, product + lane + j * kTileRows)));
    hn::Store(largest, d, rows + lane);
    for (size_t row = lane; row < lane + hn::Lanes(d); ++row) {
      int exponent = 0;
      std::frexp(rows[row], &exponent);
      const int shift = HWY_MIN(30 - exponent, 120);
      unit[row] = std::ldexp(1.0, -shift);
      rows[row] = std::ldexp(1.0f, shift);
    }
    const V units = hn::Load(d, rows + lane);
    for (size_t j = 0; j < n; ++j)
      hn::Store(hn::ConvertTo(di, hn::Mul(hn::Load(d, product + lane + j * kTileRows), units)), di,
                value + lane + j * kTileRows);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(SortRows);
HWY_EXPORT(RunningSums);
HWY_EXPORT(GramProduct);
HWY_EXPORT(FixProducts);

void sort_rows(const float* tile, size_t columns, float* sorted, float* column) {
  HWY_DYNAMIC_DISPATCH(SortRows)(tile, columns, sorted, column);
}
void running_sums(const float* sorted, size_t n, float* sum) {
  HWY_DYNAMIC_DISPATCH(RunningSums)(sorted, n, sum);
}
void gram_product(const float* gram, size_t stride, const float* y, size_t rows, size_t n, float* product) {
  HWY_DYNAMIC_DISPATCH(GramProduct)(gram, stride, y, rows, n, product);
}

void fix_products(const float* product, size_t n, int32_t* value, double* unit) {
  HWY_DYNAMIC_DISPATCH(FixProducts)(product, n, value, unit);
}

}  // namespace signum
#endif
