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

void IndicatorProducts(const FixedGram& gram, const uint32_t* order, size_t n, size_t begin, int32_t* table) {
  const hn::CappedTag<int32_t, 16> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t j = 0; j < kGramChunk; j += 2 * lanes) {
    auto a = hn::Zero(d), b = a;
    for (size_t i = 0;; ++i) {
      hn::StoreU(a, d, table + i * kGramChunk + j);
      hn::StoreU(b, d, table + i * kGramChunk + j + lanes);
      if (i == n) break;
      const int32_t* row = gram.row(order[i]) + begin + j;
      a = hn::Add(a, hn::LoadU(d, row));
      b = hn::Add(b, hn::LoadU(d, row + lanes));
    }
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(IndicatorProducts);

FixedGram fixed_gram(const float* gram, size_t columns, size_t stride) {
  FixedGram fixed;
  fixed.columns = columns;
  fixed.stride = (columns + kGramChunk - 1) / kGramChunk * kGramChunk;
  double largest = 0;
  for (size_t i = 0; i < columns; ++i) {
    double sum = 0;
    for (size_t j = 0; j < columns; ++j) sum += std::fabs(double(gram[i * stride + j]));
    largest = std::max(largest, sum);
  }
  int exponent = 0;
  std::frexp(largest, &exponent);
  fixed.unit = std::ldexp(1.0, exponent - 30);
  fixed.value = aligned_array<int32_t>(columns * fixed.stride);
  std::fill_n(fixed.value.get(), columns * fixed.stride, 0);
  for (size_t i = 0; i < columns; ++i)
    for (size_t j = 0; j < columns; ++j)
      fixed.value[i * fixed.stride + j] = int32_t(std::lrint(double(gram[i * stride + j]) / fixed.unit));
  return fixed;
}

void indicator_products(const FixedGram& gram, const uint32_t* order, size_t n, size_t begin,
                        int32_t* table) {
  HWY_DYNAMIC_DISPATCH(IndicatorProducts)(gram, order, n, begin, table);
}

}  // namespace signum
#endif
