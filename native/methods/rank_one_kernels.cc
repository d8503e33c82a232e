#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "methods/rank_one_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include <cstring>
#include <type_traits>

#include "methods/rank_one_kernels.h"
#include "methods/row_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::HWY_NAMESPACE {

constexpr float kEpsilon = 1e-8f;

// Group g of column j as masks that hold each other: at_least[g] has all rows of the groups 0 to g. With one
// group everything folds away.
template <size_t kGroups>
struct Groups {
  M at_least[kGroups - 1];
};
template <>
struct Groups<1> {};

template <size_t kGroups>
struct Chooser {
  D d;
  const float* search;
  V at[kGroups - 1];

  Chooser(const TileGroups& groups, size_t lane) : search(groups.search + lane) {
    for (size_t g = 0; g + 1 < kGroups; ++g) at[g] = hn::Set(d, groups.splits.at[g]);
  }
  Groups<kGroups> of(size_t j) const {
    const V size = hn::Abs(hn::LoadU(d, search + j * kTileRows));
    Groups<kGroups> in;
    for (size_t g = 0; g + 1 < kGroups; ++g) in.at_least[g] = hn::Ge(size, at[g]);
    return in;
  }
};
template <>
struct Chooser<1> {
  Chooser(const TileGroups&, size_t) {}
  Groups<1> of(size_t) const { return {}; }
};

// value_of(g) of the group that each lane belongs to.
template <size_t kGroups, class Value>
HWY_INLINE V ChooseOf(const Groups<kGroups>& in, const Value& value_of) {
  V chosen = value_of(kGroups - 1);
  if constexpr (kGroups > 1)
    for (size_t g = kGroups - 1; g-- > 0;) chosen = hn::IfThenElse(in.at_least[g], value_of(g), chosen);
  return chosen;
}
template <size_t kGroups>
HWY_INLINE V Choose(const Groups<kGroups>& in, const V (&values)[kGroups]) {
  return ChooseOf(in, [&](size_t g) { return values[g]; });
}
// values [groups][columns] at column j.
template <size_t kGroups>
HWY_INLINE V ChooseColumn(D d, const Groups<kGroups>& in, const float* values, size_t columns, size_t j) {
  return ChooseOf(in, [&](size_t g) { return hn::Set(d, values[g * columns + j]); });
}
// take(g, value in the lanes of group g, 0 in the others).
template <size_t kGroups, class Take>
HWY_INLINE void Deal(const Groups<kGroups>& in, V value, const Take& take) {
  if constexpr (kGroups > 1)
    for (size_t g = 0; g + 1 < kGroups; ++g) {
      take(g, hn::IfThenElseZero(in.at_least[g], value));
      value = hn::IfThenZeroElse(in.at_least[g], value);
    }
  take(kGroups - 1, value);
}
template <size_t kGroups>
HWY_INLINE void Add(const Groups<kGroups>& in, V value, V (&sums)[kGroups]) {
  Deal(in, value, [&](size_t g, V part) { sums[g] = hn::Add(sums[g], part); });
}
template <size_t kGroups>
HWY_INLINE void AddColumn(D d, const Groups<kGroups>& in, V value, float* sums, size_t columns, size_t j) {
  Deal(in, value, [&](size_t g, V part) {
    float* at = sums + (g * columns + j) * kTileRows;
    hn::StoreU(hn::Add(hn::LoadU(d, at), part), d, at);
  });
}
template <size_t kGroups>
HWY_INLINE void Zero(D d, V (&values)[kGroups]) {
  for (V& v : values) v = hn::Zero(d);
}
template <size_t kGroups>
HWY_INLINE void LoadScales(D d, const float* from, V (&values)[kGroups]) {
  for (size_t g = 0; g < kGroups; ++g) values[g] = hn::LoadU(d, from + g * kTileRows);
}

// run(number of groups as a constant).
template <class Run>
HWY_INLINE void WithGroups(size_t groups, const Run& run) {
  static_assert(kMaxGroups == 4);
  if (groups == 1) return run(std::integral_constant<size_t, 1>());
  if (groups == 2) return run(std::integral_constant<size_t, 2>());
  if (groups == 3) return run(std::integral_constant<size_t, 3>());
  run(std::integral_constant<size_t, 4>());
}

// row = sum |value| / members of each group; column sums of |value| / row and of members whose row is not
// zero.
template <size_t kGroups, class Value>
HWY_INLINE void StartScales(D d, const Chooser<kGroups>& groups, size_t columns, const Value& value,
                            float* row_scale, size_t lane, ColumnSums sums) {
  const V one = hn::Set(d, 1.0f);
  V total[kGroups], members[kGroups];
  Zero(d, total);
  Zero(d, members);
  for (size_t j = 0; j < columns; ++j) {
    const auto in = groups.of(j);
    Add(in, hn::Abs(value(j)), total);
    Add(in, one, members);
  }
  V inverse[kGroups], counted[kGroups];
  for (size_t g = 0; g < kGroups; ++g) {
    const V scale = hn::Div(total[g], hn::Max(members[g], one));
    const M positive = hn::Gt(scale, hn::Zero(d));
    hn::StoreU(scale, d, row_scale + g * kTileRows + lane);
    inverse[g] = hn::IfThenElseZero(positive, hn::Div(one, scale));
    counted[g] = hn::IfThenElseZero(positive, one);
  }
  for (size_t j = 0; j < columns; ++j) {
    const auto in = groups.of(j);
    AddColumn(d, in, hn::Mul(hn::Abs(value(j)), Choose(in, inverse)), sums.numerator + lane, columns, j);
    AddColumn(d, in, Choose(in, counted), sums.denominator + lane, columns, j);
  }
}

// Least squares for the row scales of sign * row * column against `value`, then the sums for the column
// scales.
template <size_t kGroups, class Value, class Sign>
HWY_INLINE void UpdateScales(D d, const Chooser<kGroups>& groups, size_t columns, const Value& value,
                             const Sign& sign, const float* column_scale, float* row_scale, size_t lane,
                             ColumnSums sums) {
  V product[kGroups], square[kGroups], row[kGroups];
  Zero(d, product);
  Zero(d, square);
  for (size_t j = 0; j < columns; ++j) {
    const auto in = groups.of(j);
    const V signed_column = hn::Mul(ChooseColumn(d, in, column_scale, columns, j), sign(j));
    Add(in, hn::Mul(signed_column, value(j)), product);
    Add(in, hn::Mul(signed_column, signed_column), square);
  }
  for (size_t g = 0; g < kGroups; ++g) {
    row[g] = hn::Div(product[g], hn::Add(square[g], hn::Set(d, kEpsilon)));
    hn::StoreU(row[g], d, row_scale + g * kTileRows + lane);
  }
  for (size_t j = 0; j < columns; ++j) {
    const auto in = groups.of(j);
    const V signed_row = hn::Mul(Choose(in, row), sign(j));
    AddColumn(d, in, hn::Mul(signed_row, value(j)), sums.numerator + lane, columns, j);
    AddColumn(d, in, hn::Mul(signed_row, signed_row), sums.denominator + lane, columns, j);
  }
}

template <size_t kGroups>
void RankOneStartOf(const float* x, const TileGroups& tile_groups, size_t columns, float* row_scale,
                    ColumnSums sums) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Chooser<kGroups> groups(tile_groups, lane);
    const auto value = [&](size_t j) { return hn::LoadU(d, x + lane + j * kTileRows); };
    StartScales<kGroups>(d, groups, columns, value, row_scale, lane, sums);
  }
}
void RankOneStart(const float* x, TileGroups groups, size_t columns, float* row_scale, ColumnSums sums) {
  WithGroups(groups.groups(), [&](auto count) {
    RankOneStartOf<decltype(count)::value>(x, groups, columns, row_scale, sums);
  });
}

// Two bytes for each vector of a column (a vector of up to 8 rows uses one of them); columns follow each
// other closely.
HWY_INLINE size_t MaskStride(D d) { return kTileRows / hn::Lanes(d) * 2; }
HWY_INLINE size_t MaskByte(D d, size_t lane) { return lane / hn::Lanes(d) * 2; }

template <size_t kGroups>
void MemberMasksOf(const float* x, const TileGroups& tile_groups, size_t columns, uint8_t* masks) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Chooser<kGroups> groups(tile_groups, lane);
    for (size_t j = 0; j < columns; ++j) {
      uint8_t* at = masks + j * kGroups * MaskStride(d) + MaskByte(d, lane);
      const auto put = [&](size_t g, M members) {
        uint8_t bits[8] = {};
        hn::StoreMaskBits(d, members, bits);
        std::memcpy(at + g * MaskStride(d), bits, 2);
      };
      M left = hn::Ne(hn::LoadU(d, x + lane + j * kTileRows), hn::Zero(d));  // in none of the groups so far
      if constexpr (kGroups > 1) {
        const auto in = groups.of(j);
        for (size_t g = 0; g + 1 < kGroups; ++g) {
          put(g, hn::And(in.at_least[g], left));
          left = hn::AndNot(in.at_least[g], left);
        }
      }
      put(kGroups - 1, left);
    }
  }
}
void MemberMasks(const float* x, TileGroups groups, size_t columns, uint8_t* masks) {
  WithGroups(groups.groups(),
             [&](auto count) { MemberMasksOf<decltype(count)::value>(x, groups, columns, masks); });
}

template <size_t kGroups>
void RankOneUpdateOf(const float* x, const uint8_t* masks, size_t columns, const float* column_scale,
                     float* row_scale, ColumnSums sums) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const auto size = [&](size_t j) { return hn::Abs(hn::LoadU(d, x + lane + j * kTileRows)); };
    const auto member = [&](size_t j, size_t g) {
      return hn::LoadMaskBits(d, masks + (j * kGroups + g) * MaskStride(d) + MaskByte(d, lane));
    };
    V product[kGroups], square[kGroups];
    Zero(d, product);
    Zero(d, square);
    for (size_t j = 0; j < columns; ++j)
      for (size_t g = 0; g < kGroups; ++g) {
        const M in = member(j, g);
        const V column = hn::Set(d, column_scale[g * columns + j]);
        product[g] = hn::IfThenElse(in, hn::MulAdd(column, size(j), product[g]), product[g]);
        square[g] = hn::IfThenElse(in, hn::MulAdd(column, column, square[g]), square[g]);
      }
    V row[kGroups], row_square[kGroups];
    for (size_t g = 0; g < kGroups; ++g) {
      row[g] = hn::Div(product[g], hn::Add(square[g], hn::Set(d, kEpsilon)));
      row_square[g] = hn::Mul(row[g], row[g]);
      hn::StoreU(row[g], d, row_scale + g * kTileRows + lane);
    }
    for (size_t j = 0; j < columns; ++j)
      for (size_t g = 0; g < kGroups; ++g) {
        const M in = member(j, g);
        float* numerator = sums.numerator + (g * columns + j) * kTileRows + lane;
        float* denominator = sums.denominator + (g * columns + j) * kTileRows + lane;
        const V sum = hn::LoadU(d, numerator), squares = hn::LoadU(d, denominator);
        hn::StoreU(hn::IfThenElse(in, hn::MulAdd(row[g], size(j), sum), sum), d, numerator);
        hn::StoreU(hn::IfThenElse(in, hn::Add(squares, row_square[g]), squares), d, denominator);
      }
  }
}
void RankOneUpdate(const float* x, size_t groups, const uint8_t* masks, size_t columns,
                   const float* column_scale, float* row_scale, ColumnSums sums) {
  WithGroups(groups, [&](auto count) {
    RankOneUpdateOf<decltype(count)::value>(x, masks, columns, column_scale, row_scale, sums);
  });
}

template <size_t kGroups>
void RankTwoStartOf(const float* x, const TileGroups& tile_groups, size_t columns, size_t second,
                    const float* column_scale1, const float* row_scale1, float* sign1, float* sign2,
                    float* row_scale2, ColumnSums sums) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Chooser<kGroups> groups(tile_groups, lane);
    V row[kGroups];
    LoadScales(d, row_scale1 + lane, row);
    const auto residual = [&](size_t j) {
      const auto in = groups.of(j);
      const V value = hn::LoadU(d, x + lane + j * kTileRows);
      const V scale = hn::Mul(Choose(in, row), ChooseColumn(d, in, column_scale1, columns, j));
      return hn::Sub(value, hn::Mul(scale, SignOf(d, value)));
    };
    for (size_t j = 0; j < columns; ++j) {
      hn::StoreU(SignOf(d, hn::LoadU(d, x + lane + j * kTileRows)), d, sign1 + lane + j * kTileRows);
      hn::StoreU(SignOf(d, residual(j)), d, sign2 + lane + j * kTileRows);
    }
    StartScales<kGroups>(d, groups, second, residual, row_scale2, lane, sums);
  }
}
void RankTwoStart(const float* x, TileGroups groups, size_t columns, size_t second,
                  const float* column_scale1, const float* row_scale1, float* sign1, float* sign2,
                  float* row_scale2, ColumnSums sums) {
  WithGroups(groups.groups(), [&](auto count) {
    RankTwoStartOf<decltype(count)::value>(x, groups, columns, second, column_scale1, row_scale1, sign1,
                                           sign2, row_scale2, sums);
  });
}

template <size_t kGroups>
void RankTwoStepOf(const float* x, const TileGroups& tile_groups, size_t columns, const float* sign,
                   const float* column_scale, float* row_scale, const float* other_sign,
                   const float* other_column_scale, const float* other_row_scale, ColumnSums sums) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Chooser<kGroups> groups(tile_groups, lane);
    V other_row[kGroups];
    LoadScales(d, other_row_scale + lane, other_row);
    const auto value = [&](size_t j) {
      const auto in = groups.of(j);
      const V scale = hn::Mul(Choose(in, other_row), ChooseColumn(d, in, other_column_scale, columns, j));
      return hn::NegMulAdd(scale, hn::LoadU(d, other_sign + lane + j * kTileRows),
                           hn::LoadU(d, x + lane + j * kTileRows));
    };
    const auto own = [&](size_t j) { return hn::LoadU(d, sign + lane + j * kTileRows); };
    UpdateScales<kGroups>(d, groups, columns, value, own, column_scale, row_scale, lane, sums);
  }
}
void RankTwoStep(const float* x, TileGroups groups, size_t columns, const float* sign,
                 const float* column_scale, float* row_scale, const float* other_sign,
                 const float* other_column_scale, const float* other_row_scale, ColumnSums sums) {
  WithGroups(groups.groups(), [&](auto count) {
    RankTwoStepOf<decltype(count)::value>(x, groups, columns, sign, column_scale, row_scale, other_sign,
                                          other_column_scale, other_row_scale, sums);
  });
}

template <size_t kGroups>
void RankTwoAssignOf(const float* x, const TileGroups& tile_groups, size_t columns,
                     const float* column_scale1, const float* row_scale1, const float* column_scale2,
                     const float* row_scale2, float* sign1, float* sign2) {
  const D d;
  for (size_t lane = 0; lane < kTileRows; lane += hn::Lanes(d)) {
    const Chooser<kGroups> groups(tile_groups, lane);
    V row1[kGroups], row2[kGroups];
    LoadScales(d, row_scale1 + lane, row1);
    LoadScales(d, row_scale2 + lane, row2);
    for (size_t j = 0; j < columns; ++j) {
      const auto in = groups.of(j);
      const V value = hn::LoadU(d, x + lane + j * kTileRows);
      const V p = hn::Mul(Choose(in, row1), ChooseColumn(d, in, column_scale1, columns, j));
      const V q = hn::Mul(Choose(in, row2), ChooseColumn(d, in, column_scale2, columns, j));
      V s1, s2;
      NearestOfFour(d, value, p, q, s1, s2);
      hn::StoreU(s1, d, sign1 + lane + j * kTileRows);
      hn::StoreU(s2, d, sign2 + lane + j * kTileRows);
    }
  }
}
void RankTwoAssign(const float* x, TileGroups groups, size_t columns, const float* column_scale1,
                   const float* row_scale1, const float* column_scale2, const float* row_scale2, float* sign1,
                   float* sign2) {
  WithGroups(groups.groups(), [&](auto count) {
    RankTwoAssignOf<decltype(count)::value>(x, groups, columns, column_scale1, row_scale1, column_scale2,
                                            row_scale2, sign1, sign2);
  });
}

}  // namespace signum::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum {

HWY_EXPORT(RankOneStart);
HWY_EXPORT(MemberMasks);
HWY_EXPORT(RankOneUpdate);
HWY_EXPORT(RankTwoStart);
HWY_EXPORT(RankTwoStep);
HWY_EXPORT(RankTwoAssign);

void rank_one_start(const float* x, TileGroups groups, size_t columns, float* row_scale, ColumnSums sums) {
  HWY_DYNAMIC_DISPATCH(RankOneStart)(x, groups, columns, row_scale, sums);
}
void member_masks(const float* x, TileGroups groups, size_t columns, uint8_t* masks) {
  HWY_DYNAMIC_DISPATCH(MemberMasks)(x, groups, columns, masks);
}
void rank_one_update(const float* x, size_t groups, const uint8_t* masks, size_t columns,
                     const float* column_scale, float* row_scale, ColumnSums sums) {
  HWY_DYNAMIC_DISPATCH(RankOneUpdate)(x, groups, masks, columns, column_scale, row_scale, sums);
}
void rank_two_start(const float* x, TileGroups groups, size_t columns, size_t second,
                    const float* column_scale1, const float* row_scale1, float* sign1, float* sign2,
                    float* row_scale2, ColumnSums sums) {
  HWY_DYNAMIC_DISPATCH(RankTwoStart)
  (x, groups, columns, second, column_scale1, row_scale1, sign1, sign2, row_scale2, sums);
}
void rank_two_step(const float* x, TileGroups groups, size_t columns, const float* sign,
                   const float* column_scale, float* row_scale, const float* other_sign,
                   const float* other_column_scale, const float* other_row_scale, ColumnSums sums) {
  HWY_DYNAMIC_DISPATCH(RankTwoStep)
  (x, groups, columns, sign, column_scale, row_scale, other_sign, other_column_scale, other_row_scale, sums);
}
void rank_two_assign(const float* x, TileGroups groups, size_t columns, const float* column_scale1,
                     const float* row_scale1, const float* column_scale2, const float* row_scale2,
                     float* sign1, float* sign2) {
  HWY_DYNAMIC_DISPATCH(RankTwoAssign)
  (x, groups, columns, column_scale1, row_scale1, column_scale2, row_scale2, sign1, sign2);
}

}  // namespace signum
#endif
