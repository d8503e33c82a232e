#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/query_attention.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "model/query_attention.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr size_t kLanes = hn::MaxLanes(D());

template <size_t kRows>
void Dots(const float* q, const float* rows, size_t stride, size_t dim, float scale, float* out) {
  const D d;
  V sums[kRows];
  for (size_t r = 0; r < kRows; ++r) sums[r] = hn::Zero(d);
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) {
    const V query = hn::LoadU(d, q + i);
    for (size_t r = 0; r < kRows; ++r)
      sums[r] = hn::MulAdd(query, hn::LoadU(d, rows + r * stride + i), sums[r]);
  }
  for (size_t r = 0; r < kRows; ++r) {
    float sum = hn::GetLane(hn::SumOfLanes(d, sums[r]));
    for (size_t j = i; j < dim; ++j) sum += q[j] * rows[r * stride + j];
    out[r] = scale * sum;
  }
}

void DotRows(const float* q, const HeadRows& rows, size_t count, size_t dim, float scale, float* out) {
  constexpr size_t kRows = 4;
  size_t j = 0;
  for (; j + kRows <= count; j += kRows)
    Dots<kRows>(q, rows.data + j * rows.stride, rows.stride, dim, scale, out + j);
  for (; j < count; ++j) Dots<1>(q, rows.data + j * rows.stride, rows.stride, dim, scale, out + j);
}

// kParts vectors of every row.
template <size_t kParts>
void Sums(const float* weights, const float* rows, size_t stride, size_t count, float* out) {
  const D d;
  V sums[kParts];
  for (size_t p = 0; p < kParts; ++p) sums[p] = hn::Zero(d);
  for (size_t j = 0; j < count; ++j) {
    const V weight = hn::Set(d, weights[j]);
    for (size_t p = 0; p < kParts; ++p)
      sums[p] = hn::MulAdd(weight, hn::LoadU(d, rows + j * stride + p * kLanes), sums[p]);
  }
  for (size_t p = 0; p < kParts; ++p) hn::StoreU(sums[p], d, out + p * kLanes);
}

void SumRows(const float* weights, const HeadRows& rows, size_t count, size_t dim, float* out) {
  constexpr size_t kParts = 4;
  size_t i = 0;
  for (; i + kParts * kLanes <= dim; i += kParts * kLanes)
    Sums<kParts>(weights, rows.data + i, rows.stride, count, out + i);
  for (; i + kLanes <= dim; i += kLanes) Sums<1>(weights, rows.data + i, rows.stride, count, out + i);
  for (; i < dim; ++i) {
    out[i] = 0;
    for (size_t j = 0; j < count; ++j) out[i] += weights[j] * rows.data[j * rows.stride + i];
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(DotRows);
HWY_EXPORT(SumRows);

void dot_rows(const float* q, const HeadRows& rows, size_t count, size_t dim, float scale, float* out) {
  HWY_DYNAMIC_DISPATCH(DotRows)(q, rows, count, dim, scale, out);
}
void sum_rows(const float* weights, const HeadRows& rows, size_t count, size_t dim, float* out) {
  HWY_DYNAMIC_DISPATCH(SumRows)(weights, rows, count, dim, out);
}

}  // namespace signum
#endif
