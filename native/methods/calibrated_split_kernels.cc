#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/calibrated_split_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/calibrated_split_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

using D64 = hn::CappedTag<double, 8>;

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

// to = from + factor * row.
HWY_INLINE void AddRow(const double* from, double factor, const float* row, size_t n, double* to) {
  const D64 d;
  const hn::Rebind<float, D64> d32;
  const auto f = hn::Set(d, factor);
  size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d))
    hn::StoreU(hn::MulAdd(f, hn::PromoteTo(d, hn::LoadU(d32, row + j)), hn::LoadU(d, from + j)), d, to + j);
  for (; j < n; ++j) to[j] = from[j] + factor * double(row[j]);
}

void IndicatorProducts(const float* gram, size_t stride, const uint32_t* order, size_t n, size_t width,
                       double* table) {
  for (size_t j = 0; j < width; ++j) table[j] = 0;
  for (size_t i = 0; i < n; ++i, table += width)
    AddRow(table, 1, gram + order[i] * stride, width, table + width);
}

void GramProduct(const float* gram, size_t stride, const double* y, size_t rows, size_t n, double* product) {
  for (size_t j = 0; j < n; ++j) product[j] = 0;
  for (size_t j = 0; j < rows; ++j) AddRow(product, y[j], gram + j * stride, n, product);
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(SortRows);
HWY_EXPORT(IndicatorProducts);
HWY_EXPORT(GramProduct);

void sort_rows(const float* tile, size_t columns, float* sorted, float* column) {
  HWY_DYNAMIC_DISPATCH(SortRows)(tile, columns, sorted, column);
}
void indicator_products(const float* gram, size_t stride, const uint32_t* order, size_t n, size_t width,
                        double* table) {
  HWY_DYNAMIC_DISPATCH(IndicatorProducts)(gram, stride, order, n, width, table);
}
void gram_product(const float* gram, size_t stride, const double* y, size_t rows, size_t n, double* product) {
  HWY_DYNAMIC_DISPATCH(GramProduct)(gram, stride, y, rows, n, product);
}

}  // namespace signum
#endif
