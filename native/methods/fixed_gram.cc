#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/fixed_gram.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <cmath>

#include "methods/fixed_gram.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void IndicatorProducts(const FixedGram& gram, const uint32_t* order, size_t n, int32_t* table) {
  const hn::CappedTag<int32_t, 16> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t j = 0; j < gram.stride; j += 4 * lanes) {
    auto a = hn::Zero(d), b = a, c = a, e = a;
    for (size_t i = 0;; ++i) {
      int32_t* to = table + i * gram.stride + j;
      hn::StoreU(a, d, to);
      hn::StoreU(b, d, to + lanes);
      hn::StoreU(c, d, to + 2 * lanes);
      hn::StoreU(e, d, to + 3 * lanes);
      if (i == n) break;
      const int32_t* row = gram.row(order[i]) + j;
      a = hn::Add(a, hn::LoadU(d, row));
      b = hn::Add(b, hn::LoadU(d, row + lanes));
      c = hn::Add(c, hn::LoadU(d, row + 2 * lanes));
      e = hn::Add(e, hn::LoadU(d, row + 3 * lanes));
    }
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(IndicatorProducts);

FixedGram fixed_gram(const float* gram, size_t columns, size_t stride) {
  constexpr size_t kStep = 64;  // four vectors of 16
  FixedGram fixed;
  fixed.columns = columns;
  fixed.stride = (columns + kStep - 1) / kStep * kStep;
  double largest = 0;
  for (size_t i = 0; i < columns; ++i) {
    double sum = 0;
    for (size_t j = 0; j < columns; ++j) sum += std::fabs(double(gram[i * stride + j]));
    largest = std::max(largest, sum);
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  fixed.unit = std::ldexp(1.0, exponent - 30);
  fixed.value.resize(columns * fixed.stride);
  for (size_t i = 0; i < columns; ++i)
    for (size_t j = 0; j < columns; ++j)
      fixed.value[i * fixed.stride + j] = int32_t(std::lrint(double(gram[i * stride + j]) / fixed.unit));
  return fixed;
}

void indicator_products(const FixedGram& gram, const uint32_t* order, size_t n, int32_t* table) {
  HWY_DYNAMIC_DISPATCH(IndicatorProducts)(gram, order, n, table);
}

}  // namespace signum
#endif
