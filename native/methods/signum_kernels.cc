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

// The nearest value so far, its distance from w and its code.
struct Nearest {
  V w, distance, value;
  decltype(hn::Zero(DInt())) code;

  HWY_INLINE void offer(V v, int its_code) {
    const V d = hn::Abs(hn::Sub(w, v));
    const M closer = hn::Lt(d, distance);
    distance = hn::IfThenElse(closer, d, distance);
    value = hn::IfThenElse(closer, v, value);
    code = hn::IfThenElse(hn::RebindMask(DInt(), closer), hn::Set(DInt(), its_code), code);
  }
  HWY_INLINE void offer_two(V v, V third, int its_code) {  // v -+ third
    offer(hn::Sub(v, third), its_code);
    offer(hn::Add(v, third), its_code | 4);
  }
};

double AssignPanel(float* weight, const PanelScales& scales, ConstView u, const float* r_diagonal,
                   uint8_t* codes) {
  const D d;
  const DInt di;
  const size_t n = scales.columns[0];
  double total = 0;
  for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(d)) {
    const auto row = [&](size_t k) { return hn::LoadU(d, scales.row[k] + lane); };
    const V row1 = row(0), row2 = row(1), row3 = row(2);
    V cost = hn::Zero(d);
    for (size_t j = 0; j < n; ++j) {
      float* here = weight + j * kPanelRows + lane;
      const V w = hn::LoadU(d, here), p = hn::Mul(row1, hn::Set(d, scales.column[0][j]));
      Nearest nearest;
      nearest.w = w;
      nearest.code = hn::Zero(di);
      if (j < scales.columns[1]) {
        const V q = hn::Mul(row2, hn::Set(d, scales.column[1][j]));
        const V sum = hn::Add(p, q), difference = hn::Sub(p, q);
        if (j < scales.columns[2]) {
          const V third = hn::Mul(row3, hn::Set(d, scales.column[2][j]));
          nearest.value = hn::Sub(hn::Neg(sum), third);
          nearest.distance = hn::Abs(hn::Sub(w, nearest.value));
          nearest.offer(hn::Sub(third, sum), 4);
          nearest.offer_two(hn::Neg(difference), third, 2);
          nearest.offer_two(difference, third, 1);
          nearest.offer_two(sum, third, 3);
        } else {
          nearest.value = hn::Neg(sum);
          nearest.distance = hn::Abs(hn::Add(w, sum));
          nearest.offer(hn::Neg(difference), 2);
          nearest.offer(difference, 1);
          nearest.offer(sum, 3);
        }
      } else {
        const M plus = hn::Lt(hn::Abs(hn::Sub(w, p)), hn::Abs(hn::Add(w, p)));
        nearest.value = hn::IfThenElse(plus, p, hn::Neg(p));
        nearest.code = hn::IfThenElseZero(hn::RebindMask(di, plus), hn::Set(di, 1));
      }
      hn::StoreU(hn::DemoteTo(DCode(), nearest.code), DCode(), codes + j * kPanelRows + lane);
      const V error = hn::Mul(hn::Sub(w, nearest.value), hn::Set(d, r_diagonal[j]));
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

// Sums over the columns for the normal equations A r = b of every row.
template <class VD>
struct RowSystem {
  VD a[kPlanes][kPlanes], b[kPlanes];  // lower triangle
};

// With one or two planes Cramer's rule; with three, two steps of elimination first. 0 where a row has nothing
// to fit.
template <class VD>
HWY_INLINE void SolveRows(const RowSystem<VD>& s, size_t planes, VD (&r)[kPlanes]) {
  const hn::CappedTag<double, 8> dd;
  const auto divide = [&](auto part, auto whole) {
    const auto positive = hn::Gt(whole, hn::Zero(dd));
    return hn::IfThenElseZero(positive, hn::Div(part, hn::IfThenElse(positive, whole, hn::Set(dd, 1.0))));
  };
  const auto solve_two = [&](auto a11, auto a12, auto a22, auto b1, auto b2, VD& r1, VD& r2) {
    const auto determinant = hn::NegMulAdd(a12, a12, hn::Mul(a11, a22));
    r1 = divide(hn::NegMulAdd(a12, b2, hn::Mul(a22, b1)), determinant);
    r2 = divide(hn::NegMulAdd(a12, b1, hn::Mul(a11, b2)), determinant);
  };
  const auto &a = s.a, &b = s.b;
  if (planes == 1) {
    r[0] = divide(b[0], a[0][0]);
  } else if (planes == 2) {
    solve_two(a[0][0], a[1][0], a[1][1], b[0], b[1], r[0], r[1]);
  } else {  // without the first unknown
    const auto f1 = divide(a[1][0], a[0][0]), f2 = divide(a[2][0], a[0][0]);
    solve_two(hn::NegMulAdd(f1, a[1][0], a[1][1]), hn::NegMulAdd(f1, a[2][0], a[2][1]),
              hn::NegMulAdd(f2, a[2][0], a[2][2]), hn::NegMulAdd(f1, b[0], b[1]),
              hn::NegMulAdd(f2, b[0], b[2]), r[1], r[2]);
    r[0] = divide(hn::NegMulAdd(a[2][0], r[2], hn::NegMulAdd(a[1][0], r[1], b[0])), a[0][0]);
  }
}

void RefitRows(const float* y, const float* const* v, size_t planes, size_t columns, float* const* r) {
  const hn::CappedTag<double, 8> dd;
  const hn::Rebind<float, decltype(dd)> df;
  using VD = hn::Vec<decltype(dd)>;
  for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(dd)) {
    RowSystem<VD> system;
    for (size_t k = 0; k < kPlanes; ++k) {
      system.b[k] = hn::Zero(dd);
      for (size_t l = 0; l <= k; ++l) system.a[k][l] = hn::Zero(dd);
    }
    for (size_t j = 0; j < columns; ++j) {
      const size_t at = j * kPanelRows + lane;
      const auto target = hn::PromoteTo(dd, hn::LoadU(df, y + at));
      VD part[kPlanes];
      for (size_t k = 0; k < planes; ++k) {
        part[k] = hn::PromoteTo(dd, hn::LoadU(df, v[k] + at));
        system.b[k] = hn::MulAdd(part[k], target, system.b[k]);
        for (size_t l = 0; l <= k; ++l) system.a[k][l] = hn::MulAdd(part[k], part[l], system.a[k][l]);
      }
    }
    VD trace = hn::Zero(dd), solution[kPlanes];
    for (size_t k = 0; k < planes; ++k) trace = hn::Add(trace, system.a[k][k]);
    const VD ridge = hn::Mul(hn::Set(dd, 1e-6), trace);
    for (size_t k = 0; k < planes; ++k) system.a[k][k] = hn::Add(system.a[k][k], ridge);
    SolveRows(system, planes, solution);
    for (size_t k = 0; k < planes; ++k) hn::StoreU(hn::DemoteTo(df, solution[k]), df, r[k] + lane);
  }
}

void AddColumnProducts(const float* a, const float* b, size_t columns, double* sums) {
  const hn::CappedTag<double, 8> dd;
  const hn::Rebind<float, decltype(dd)> df;
  for (size_t j = 0; j < columns; ++j) {
    auto sum = hn::Zero(dd);
    for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(dd)) {
      const size_t at = j * kPanelRows + lane;
      sum =
          hn::MulAdd(hn::PromoteTo(dd, hn::LoadU(df, a + at)), hn::PromoteTo(dd, hn::LoadU(df, b + at)), sum);
    }
    sums[j] += hn::GetLane(hn::SumOfLanes(dd, sum));
  }
}

void PanelValues(const PanelScales& scales, const uint8_t* codes, float* values) {
  const D d;
  const DInt di;
  for (size_t j = 0; j < scales.columns[0]; ++j)
    for (size_t lane = 0; lane < kPanelRows; lane += hn::Lanes(d)) {
      const auto code = LoadCodes(codes + j * kPanelRows + lane);
      const auto part = [&](size_t k) {
        const V size = hn::Mul(hn::LoadU(d, scales.row[k] + lane), hn::Set(d, scales.column[k][j]));
        return hn::IfThenElse(hn::RebindMask(d, hn::TestBit(code, hn::Set(di, 1 << k))), size, hn::Neg(size));
      };
      V value = part(0);
      for (size_t k = 1; k < kPlanes && j < scales.columns[k]; ++k) value = hn::Add(value, part(k));
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

double assign_panel(float* weight, const PanelScales& scales, ConstView u, const float* r_diagonal,
                    uint8_t* codes) {
  return HWY_DYNAMIC_DISPATCH(AssignPanel)(weight, scales, u, r_diagonal, codes);
}
void signed_panel(const uint8_t* codes, int bit, size_t columns, bool by_row, const float* factor,
                  float* out) {
  HWY_DYNAMIC_DISPATCH(SignedPanel)(codes, bit, columns, by_row, factor, out);
}
void refit_rows(const float* y, const float* const* v, size_t planes, size_t columns, float* const* r) {
  HWY_DYNAMIC_DISPATCH(RefitRows)(y, v, planes, columns, r);
}
void add_column_products(const float* a, const float* b, size_t columns, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddColumnProducts)(a, b, columns, sums);
}

void panel_values(const PanelScales& scales, const uint8_t* codes, float* values) {
  HWY_DYNAMIC_DISPATCH(PanelValues)(scales, codes, values);
}
void code_masks(const uint8_t* codes, int bit, size_t columns, uint16_t* masks) {
  HWY_DYNAMIC_DISPATCH(CodeMasks)(codes, bit, columns, masks);
}

}  // namespace signum
#endif
