// Products of the layouts with groups and salient columns (billm, the arb family). With s and g for a
// weight's sign and group as +1 or -1, everything but the salient columns is a sum over s, g and s g, three
// look-ups in one table:
//     mean + scale s  =  (m1 + m2)/2 + (m1 - m2)/2 g + (a1 + a2)/2 s + (a1 - a2)/2 s g      (1 sparse, 2
//     concentrated)
// Salient columns are few: one after another, by masks.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/grouped_kernels.cc"
#include "kernels/targets.h"
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

#include <utility>

#include "kernels/look_up-inl.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

HWY_INLINE V Half(V a) { return hn::Mul(hn::Set(D(), 0.5f), a); }

// What a tile reads. Slots of scalars: of the salient columns' groups, then sparse and concentrated.
template <size_t kSlots>
struct Slots {
  template <size_t... kSlot>
  HWY_INLINE Slots(const Scalars& scalars, size_t first, size_t rows, std::index_sequence<kSlot...>)
      : of{TileScalars(scalars, first, rows, kSlot)...} {}
  HWY_INLINE Slots(const Scalars& scalars, size_t first, size_t rows)
      : Slots(scalars, first, rows, std::make_index_sequence<kSlots>()) {}
  HWY_INLINE void Choose(size_t block) {
    for (TileScalars& one : of) one.Choose(block);
  }
  TileScalars of[kSlots];
};
struct Planes {
  HWY_INLINE Planes(const GroupedJob& job, size_t first)
      : sign(job.sign, first, job.rows),
        plane2(job.plane2, first, job.rows),
        plane3(job.plane3, first, job.rows) {}
  TileWords sign, plane2, plane3;
};

// Words of one vector of rows that hold bits of salient columns.
struct SalientWords {
  VU sign, plane2, third;
};
HWY_INLINE M BitSet(VU words, size_t bit) {
  return hn::RebindMask(D(), hn::TestBit(words, hn::Set(DU(), 1u << (bit % 32))));
}
HWY_INLINE V AddWhere(M mask, V sum, V value) { return hn::IfThenElse(mask, hn::Add(sum, value), sum); }

// Calls salient(columns, how many, vector, words) for the block's salient columns, those at once whose bits
// lie in the same words.
template <bool kThird, class Salient>
HWY_INLINE void ForSalient(const GroupedJob& job, Planes& planes, size_t b, const Salient& salient) {
  const size_t end = job.salient_begin[b + 1];
  for (size_t k = job.salient_begin[b], next; k < end; k = next) {
    const SalientColumn& column = job.salient[k];
    const size_t word = column.bit / 32, third_word = column.compact / 32;
    for (next = k + 1; next < end && job.salient[next].bit / 32 == word; ++next)
      if (kThird && job.salient[next].compact / 32 != third_word) break;
    const size_t byte = job.blocks[b].byte + 4 * word;
    const uint32_t *sign = planes.sign.At(byte), *plane2 = planes.plane2.At(byte);
    const uint32_t* third = kThird ? planes.plane3.At(4 * third_word) : sign;
    for (size_t v = 0; v < kVectors; ++v)
      salient(&column, next - k, v, SalientWords{Lanes(sign, v), Lanes(plane2, v), Lanes(third, v)});
  }
}

// Sums of a tile over the salient columns of a block, in memory between words.
template <size_t kSums>
struct SalientSums {
  HWY_INLINE void Clear() {
    for (size_t i = 0; i < kSums * kRows; ++i) of[i] = 0;
  }
  HWY_INLINE V Get(size_t sum, size_t v) const { return hn::Load(D(), of + sum * kRows + v * kLanes); }
  HWY_INLINE void Set(size_t sum, size_t v, V value) { hn::Store(value, D(), of + sum * kRows + v * kLanes); }
  HWY_ALIGN float of[kSums * kRows];
};

// The salient columns of one block, means and two orders; with a third plane in two groups. Sums over set
// bits become sums with signs at the end.
template <bool kThird>
HWY_INLINE void AddSalientMeans(const GroupedJob& job, Planes& planes, const TileScalars* scale,
                                const TileScalars* mean, size_t b, V* total) {
  const D d;
  SalientSums<kThird ? 5 : 2> sums;
  sums.Clear();
  ForSalient<kThird>(
      job, planes, b, [&](const SalientColumn* columns, size_t count, size_t v, const SalientWords& words) {
        V first = sums.Get(0, v), second = sums.Get(1, v);
        V group = first, first_differs = first, second_differs = first;
        if constexpr (kThird) {
          group = sums.Get(2, v), first_differs = sums.Get(3, v), second_differs = sums.Get(4, v);
        }
        for (size_t i = 0; i < count; ++i) {
          const V x = hn::Set(d, columns[i].x[0]);
          const M sign = BitSet(words.sign, columns[i].bit);
          const M plane2 = BitSet(words.plane2, columns[i].bit);
          first = AddWhere(sign, first, x);
          if constexpr (kThird) {
            const M third = BitSet(words.third, columns[i].compact);
            second = AddWhere(third, second, x);
            group = AddWhere(plane2, group, x);
            first_differs = AddWhere(hn::Xor(sign, plane2), first_differs, x);
            second_differs = AddWhere(hn::Xor(third, plane2), second_differs, x);
          } else {
            second = AddWhere(plane2, second, x);
          }
        }
        sums.Set(0, v, first), sums.Set(1, v, second);
        if constexpr (kThird) {
          sums.Set(2, v, group), sums.Set(3, v, first_differs), sums.Set(4, v, second_differs);
        }
      });
  const V all = hn::Set(d, job.salient_sums[b]);
  for (size_t v = 0; v < kVectors; ++v) {
    const auto with_signs = [&](size_t sum) {
      const V set = sums.Get(sum, v);
      return hn::Sub(hn::Add(set, set), all);
    };
    if constexpr (!kThird) {
      const V orders = hn::MulAdd(scale[0][v], with_signs(0), hn::Mul(scale[1][v], with_signs(1)));
      total[v] = hn::Add(total[v], hn::MulAdd(mean[0][v], all, orders));
    } else {
      const V m0 = mean[0][v], m1 = mean[1][v];
      const V a0 = scale[0][v], a1 = scale[1][v], a2 = scale[2][v], a3 = scale[3][v];
      V sum = hn::MulAdd(hn::Add(m0, m1), all, hn::Mul(hn::Sub(m0, m1), with_signs(2)));
      sum = hn::MulAdd(hn::Add(a0, a2), with_signs(0), sum);
      sum = hn::NegMulAdd(hn::Sub(a0, a2), with_signs(3), sum);
      sum = hn::MulAdd(hn::Add(a1, a3), with_signs(1), sum);
      sum = hn::NegMulAdd(hn::Sub(a1, a3), with_signs(4), sum);
      total[v] = hn::Add(total[v], Half(sum));
    }
  }
}

// Vectors whose sums fit in registers beside each other.
constexpr size_t kSide = HWY_TARGET <= HWY_AVX3 && kPlaces == 1 ? kVectors : kVectors / 2;

// The sums of a block over one table, of s, g and s g, for some vectors of rows.
struct ThreeSums {
  LookUpSum sign[kSide], group[kSide], both[kSide];
};
HWY_INLINE void LookUpThree(const GroupedJob& job, Planes& planes, const Block& block, size_t side,
                            ThreeSums& sums) {
  for (size_t v = 0; v < kSide; ++v)
    sums.sign[v].Clear(block.words), sums.group[v].Clear(block.words), sums.both[v].Clear(block.words);
  const uint8_t* tables = job.tables[0] + block.table;
  for (size_t w = 0; w < block.words; ++w) {
    const uint32_t *sign = planes.sign.At(block.byte + 4 * w), *group = planes.plane2.At(block.byte + 4 * w);
    Bits s[kSide], g[kSide];
    for (size_t v = 0; v < kSide; ++v) s[v].rest = Lanes(sign, side + v), g[v].rest = Lanes(group, side + v);
    for (size_t lookup = 0; lookup < kLookups; ++lookup, tables += kTableBytes) {
      const Table table(tables);
      for (size_t v = 0; v < kSide; ++v) {
        const VU of_sign = s[v].Next(), of_group = g[v].Next();
        sums.sign[v].Add(table, of_sign);
        sums.group[v].Add(table, of_group);
        sums.both[v].Add(table, Bits::Same(of_sign, of_group));
      }
    }
  }
}

template <bool kThird>
HWY_INLINE void AddMeansOf(const GroupedJob& job, size_t first, float* y) {
  const D d;
  constexpr size_t kGroups = kThird ? 2 : 1;  // of salient columns
  Planes planes(job, first);
  Slots<2 * kGroups + 2> scale(job.scale, first, job.rows);
  Slots<kGroups + 2> mean(job.mean, first, job.rows);
  V total[kVectors];
  for (size_t v = 0; v < kVectors; ++v) total[v] = hn::Load(d, y + v * kLanes);
  for (size_t b = 0; b < job.block_count; ++b) {
    scale.Choose(b);
    mean.Choose(b);
    const V x = hn::Set(d, job.sums[b]);
    const float unit = job.units[0][b];
    for (size_t side = 0; side < kVectors; side += kSide) {
      ThreeSums sums;
      LookUpThree(job, planes, job.blocks[b], side, sums);
      for (size_t i = 0; i < kSide; ++i) {
        const size_t v = side + i;
        const V m1 = mean.of[kGroups][v], m2 = mean.of[kGroups + 1][v];
        const V a1 = scale.of[2 * kGroups][v], a2 = scale.of[2 * kGroups + 1][v];
        V sum = hn::MulAdd(hn::Add(m1, m2), x, hn::Mul(hn::Sub(m1, m2), sums.group[i].Value(unit)));
        sum = hn::MulAdd(hn::Sub(a1, a2), sums.both[i].Value(unit), sum);
        sum = hn::MulAdd(hn::Add(a1, a2), sums.sign[i].Value(unit), sum);
        total[v] = hn::Add(total[v], Half(sum));
      }
    }
    AddSalientMeans<kThird>(job, planes, scale.of, mean.of, b, total);
  }
  for (size_t v = 0; v < kVectors; ++v) hn::Store(total[v], d, y + v * kLanes);
}

void AddMeans(const GroupedJob& job, size_t first, float* y) {
  job.plane3.data ? AddMeansOf<true>(job, first, y) : AddMeansOf<false>(job, first, y);
}

// arb-rc: no means, and a column has its own scale in every slot.
template <bool kThird>
HWY_INLINE void AddSalientRankOne(const GroupedJob& job, Planes& planes, const TileScalars* scale, size_t b,
                                  V* total) {
  const D d;
  constexpr size_t kSums = kThird ? 4 : 2;
  SalientSums<kSums> sums;
  sums.Clear();
  ForSalient<kThird>(
      job, planes, b, [&](const SalientColumn* columns, size_t count, size_t v, const SalientWords& words) {
        V sum[kSums];
        for (size_t slot = 0; slot < kSums; ++slot) sum[slot] = sums.Get(slot, v);
        for (size_t i = 0; i < count; ++i) {
          const SalientColumn& column = columns[i];
          const auto with_sign = [&](size_t slot, M plus) {
            return hn::IfThenElse(plus, hn::Set(d, column.x[slot]), hn::Set(d, -column.x[slot]));
          };
          const M sign = BitSet(words.sign, column.bit);
          const M plane2 = BitSet(words.plane2, column.bit);
          if constexpr (kThird) {
            const M third = BitSet(words.third, column.compact), concentrated = hn::Not(plane2);
            sum[0] = AddWhere(plane2, sum[0], with_sign(0, sign));
            sum[1] = AddWhere(plane2, sum[1], with_sign(1, third));
            sum[2] = AddWhere(concentrated, sum[2], with_sign(2, sign));
            sum[3] = AddWhere(concentrated, sum[3], with_sign(3, third));
          } else {
            sum[0] = hn::Add(sum[0], with_sign(0, sign));
            sum[1] = hn::Add(sum[1], with_sign(1, plane2));
          }
        }
        for (size_t slot = 0; slot < kSums; ++slot) sums.Set(slot, v, sum[slot]);
      });
  for (size_t slot = 0; slot < kSums; ++slot)
    for (size_t v = 0; v < kVectors; ++v) total[v] = hn::MulAdd(scale[slot][v], sums.Get(slot, v), total[v]);
}

// Twice the sums of s x over the sparse and over the concentrated weights, for some vectors of rows.
struct GroupSums {
  LookUpSum sparse[kSide], concentrated[kSide];
};
HWY_INLINE void LookUpGroups(const GroupedJob& job, Planes& planes, const Block& block, size_t side,
                             GroupSums& sums) {
  for (size_t v = 0; v < kSide; ++v) sums.sparse[v].Clear(2 * block.words), sums.concentrated[v].Clear(0);
  size_t at = block.table;
  for (size_t w = 0; w < block.words; ++w) {
    const uint32_t *sign = planes.sign.At(block.byte + 4 * w), *group = planes.plane2.At(block.byte + 4 * w);
    Bits s[kSide], g[kSide];
    for (size_t v = 0; v < kSide; ++v) s[v].rest = Lanes(sign, side + v), g[v].rest = Lanes(group, side + v);
    for (size_t lookup = 0; lookup < kLookups; ++lookup, at += kTableBytes) {
      const Table sparse(job.tables[0] + at), concentrated(job.tables[1] + at);
      for (size_t v = 0; v < kSide; ++v) {
        const VU of_sign = s[v].Next(), of_both = Bits::Same(of_sign, g[v].Next());
        sums.sparse[v].Add(sparse, of_sign);
        sums.sparse[v].Add(sparse, of_both);
        sums.concentrated[v].Add(concentrated, of_sign);
        sums.concentrated[v].Take(concentrated, of_both);
      }
    }
  }
}

template <bool kThird>
HWY_INLINE void AddRankOneOf(const GroupedJob& job, size_t first, float* y) {
  const D d;
  constexpr size_t kSparse = kThird ? 4 : 2;  // slot
  Planes planes(job, first);
  Slots<kSparse + 2> scale(job.scale, first, job.rows);
  V total[kVectors];
  for (size_t v = 0; v < kVectors; ++v) total[v] = hn::Load(d, y + v * kLanes);
  for (size_t b = 0; b < job.block_count; ++b) {
    scale.Choose(b);
    for (size_t side = 0; side < kVectors; side += kSide) {
      GroupSums sums;
      LookUpGroups(job, planes, job.blocks[b], side, sums);
      for (size_t i = 0; i < kSide; ++i) {
        const size_t v = side + i;
        const V of_sparse = hn::Mul(scale.of[kSparse][v], sums.sparse[i].Value(job.units[0][b]));
        const V of_other = sums.concentrated[i].Value(job.units[1][b]);
        total[v] = hn::Add(total[v], Half(hn::MulAdd(scale.of[kSparse + 1][v], of_other, of_sparse)));
      }
    }
    AddSalientRankOne<kThird>(job, planes, scale.of, b, total);
  }
  for (size_t v = 0; v < kVectors; ++v) hn::Store(total[v], d, y + v * kLanes);
}

void AddRankOne(const GroupedJob& job, size_t first, float* y) {
  job.plane3.data ? AddRankOneOf<true>(job, first, y) : AddRankOneOf<false>(job, first, y);
}

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::kernels {

HWY_EXPORT(AddMeans);
HWY_EXPORT(AddRankOne);

void add_means(const GroupedJob& job, size_t first, float* y) {
  HWY_DYNAMIC_DISPATCH(AddMeans)(job, first, y);
}
void add_rank_one(const GroupedJob& job, size_t first, float* y) {
  HWY_DYNAMIC_DISPATCH(AddRankOne)(job, first, y);
}

}  // namespace signum::kernels
#endif
