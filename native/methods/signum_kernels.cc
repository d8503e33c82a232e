#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/signum_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "methods/signum_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;
using DCode = hn::Rebind<uint8_t, D>;
using DInt = hn::RebindToSigned<D>;

HWY_INLINE auto LoadCodes(const uint8_t* codes) { return hn::PromoteTo(DInt(), hn::LoadU(DCode(), codes)); }

double AssignPanel(float* weight, PanelScales scales, const float* r1, const float* r2, ConstView u,
                   const float* r_diagonal, uint8_t* codes) {
  const D d;
  const DInt di;
  const size_t n = scales.columns;
  double total = 0;
  for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(d)) {
    const V row1 = hn::LoadU(d, r1 + lane), row2 = hn::LoadU(d, r2 + lane);
    V cost = hn::Zero(d);
    for (size_t j = 0; j < n; ++j) {
      float* here = weight + j * kPanelRows + lane;
      const V w = hn::LoadU(d, here), p = hn::Mul(row1, hn::Set(d, scales.c1[j]));
      V value;
      auto code = hn::Zero(di);
      if (j < scales.second) {
        const V q = hn::Mul(row2, hn::Set(d, scales.c2[j]));
        const V sum = hn::Add(p, q), difference = hn::Sub(p, q);
        V best = hn::Abs(hn::Add(w, sum));
        value = hn::Neg(sum);
        const auto better = [&](V distance, V v, int c) {
          const M closer = hn::Lt(distance, best);
          best = hn::IfThenElse(closer, distance, best);
          value = hn::IfThenElse(closer, v, value);
          code = hn::IfThenElse(hn::RebindMask(di, closer), hn::Set(di, c), code);
        };
        better(hn::Abs(hn::Add(w, difference)), hn::Neg(difference), 2);
        better(hn::Abs(hn::Sub(w, difference)), difference, 1);
        better(hn::Abs(hn::Sub(w, sum)), sum, 3);
      } else {
        const M plus = hn::Lt(hn::Abs(hn::Sub(w, p)), hn::Abs(hn::Add(w, p)));
        value = hn::IfThenElse(plus, p, hn::Neg(p));
        code = hn::IfThenElseZero(hn::RebindMask(di, plus), hn::Set(di, 1));
      }
      hn::StoreU(hn::DemoteTo(DCode(), code), DCode(), codes + j * kPanelRows + lane);
      const V error = hn::Mul(hn::Sub(w, value), hn::Set(d, r_diagonal[j]));
      cost = hn::MulAdd(error, error, cost);
      const float* u_row = u.row(j);
      for (size_t l = j + 1; l < n; ++l) {
        float* later = weight + l * kPanelRows + lane;
        hn::StoreU(hn::NegMulAdd(error, hn::Set(d, u_row[l]), hn::LoadU(d, later)), d, later);
      }
    }
    total += double(hn::GetLane(hn::SumOfLanes(d, cost)));
  }
  return total;
}

void SignedPanel(const uint8_t* codes, int bit, size_t columns, bool by_row, const float* factor,
                 float* out) {
  const D d;
  const DInt di;
  const auto wanted = hn::Set(di, 1 << bit);
  for (size_t j = 0; j < columns; ++j)
    for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(d)) {
      const M plus = hn::RebindMask(d, hn::TestBit(LoadCodes(codes + j * kPanelRows + lane), wanted));
      const V size = by_row ? hn::LoadU(d, factor + lane) : hn::Set(d, factor[j]);
      hn::StoreU(hn::IfThenElse(plus, size, hn::Neg(size)), d, out + j * kPanelRows + lane);
    }
}

void RefitRows(const float* y, const float* v1, const float* v2, size_t columns, float* r1, float* r2) {
  const hn::CappedTag<double, 8> dd;
  const hn::Rebind<float, decltype(dd)> df;
  for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(dd)) {
    auto a11 = hn::Zero(dd), a12 = a11, a22 = a11, b1 = a11, b2 = a11;
    for (size_t j = 0; j < columns; ++j) {
      const size_t at = j * kPanelRows + lane;
      const auto target = hn::PromoteTo(dd, hn::LoadU(df, y + at)),
                 first = hn::PromoteTo(dd, hn::LoadU(df, v1 + at));
      a11 = hn::MulAdd(first, first, a11);
      b1 = hn::MulAdd(first, target, b1);
      if (v2) {
        const auto second = hn::PromoteTo(dd, hn::LoadU(df, v2 + at));
        a12 = hn::MulAdd(first, second, a12);
        a22 = hn::MulAdd(second, second, a22);
        b2 = hn::MulAdd(second, target, b2);
      }
    }
    const auto ridge = hn::Mul(hn::Set(dd, 1e-6), hn::Add(a11, a22));
    a11 = hn::Add(a11, ridge);
    a22 = hn::Add(a22, ridge);
    const auto divide = [&](auto part, auto whole) {  // 0 where the row has nothing to fit
      const auto positive = hn::Gt(whole, hn::Zero(dd));
      return hn::IfThenElseZero(positive, hn::Div(part, hn::IfThenElse(positive, whole, hn::Set(dd, 1.0))));
    };
    if (v2) {
      const auto determinant = hn::NegMulAdd(a12, a12, hn::Mul(a11, a22));
      hn::StoreU(hn::DemoteTo(df, divide(hn::NegMulAdd(a12, b2, hn::Mul(a22, b1)), determinant)), df,
                 r1 + lane);
      hn::StoreU(hn::DemoteTo(df, divide(hn::NegMulAdd(a12, b1, hn::Mul(a11, b2)), determinant)), df,
                 r2 + lane);
    } else {
      hn::StoreU(hn::DemoteTo(df, divide(b1, a11)), df, r1 + lane);
    }
  }
}

void AddColumnProducts(const float* a, const float* b, size_t columns, double* sums) {
  const D d;
  for (size_t j = 0; j < columns; ++j) {
    V sum = hn::Zero(d);
    for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(d))
      sum = hn::MulAdd(hn::LoadU(d, a + j * kPanelRows + lane), hn::LoadU(d, b + j * kPanelRows + lane), sum);
    sums[j] += double(hn::GetLane(hn::SumOfLanes(d, sum)));
  }
}

void PanelValues(PanelScales scales, const float* r1, const float* r2, const uint8_t* codes, float* values) {
  const D d;
  const DInt di;
  for (size_t j = 0; j < scales.columns; ++j)
    for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(d)) {
      const auto code = LoadCodes(codes + j * kPanelRows + lane);
      const auto with_bit = [&](int bit, V size) {
        return hn::IfThenElse(hn::RebindMask(d, hn::TestBit(code, hn::Set(di, bit))), size, hn::Neg(size));
      };
      V value = with_bit(1, hn::Mul(hn::LoadU(d, r1 + lane), hn::Set(d, scales.c1[j])));
      if (j < scales.second)
        value = hn::Add(value, with_bit(2, hn::Mul(hn::LoadU(d, r2 + lane), hn::Set(d, scales.c2[j]))));
      hn::StoreU(value, d, values + j * kPanelRows + lane);
    }
}

void CodeMasks(const uint8_t* codes, int bit, size_t columns, uint16_t* masks) {
  const D d;
  const DInt di;
  for (size_t j = 0; j < columns; ++j) {
    uint32_t all = 0;
    for (size_t lane = 0; lane < 16; lane += hn::Lanes(d)) {
      uint8_t bytes[8] = {};
      hn::StoreMaskBits(di, hn::TestBit(LoadCodes(codes + j * kPanelRows + lane), hn::Set(di, 1 << bit)),
                        bytes);
      all |= uint32_t(bytes[0] | bytes[1] << 8) << lane;
    }
    masks[j] = uint16_t(all);
  }
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(AssignPanel);
HWY_EXPORT(SignedPanel);
HWY_EXPORT(RefitRows);
HWY_EXPORT(AddColumnProducts);
HWY_EXPORT(PanelValues);
HWY_EXPORT(CodeMasks);

double assign_panel(float* weight, PanelScales scales, const float* r1, const float* r2, ConstView u,
                    const float* r_diagonal, uint8_t* codes) {
  return HWY_DYNAMIC_DISPATCH(AssignPanel)(weight, scales, r1, r2, u, r_diagonal, codes);
}
void signed_panel(const uint8_t* codes, int bit, size_t columns, bool by_row, const float* factor,
                  float* out) {
  HWY_DYNAMIC_DISPATCH(SignedPanel)(codes, bit, columns, by_row, factor, out);
}
void refit_rows(const float* y, const float* v1, const float* v2, size_t columns, float* r1, float* r2) {
  HWY_DYNAMIC_DISPATCH(RefitRows)(y, v1, v2, columns, r1, r2);
}
void add_column_products(const float* a, const float* b, size_t columns, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddColumnProducts)(a, b, columns, sums);
}

void panel_values(PanelScales scales, const float* r1, const float* r2, const uint8_t* codes, float* values) {
  HWY_DYNAMIC_DISPATCH(PanelValues)(scales, r1, r2, codes, values);
}
void code_masks(const uint8_t* codes, int bit, size_t columns, uint16_t* masks) {
  HWY_DYNAMIC_DISPATCH(CodeMasks)(codes, bit, columns, masks);
}

}  // namespace signum
#endif
