// Products of the layouts with groups and salient columns (billm, the arb family). With s and g for a
// weight's sign and group as +1 or -1, everything but the salient columns is a sum over s, g and s g, three
// look-ups in one table:
//     mean + scale s  =  (m1 + m2)/2 + (m1 - m2)/2 g + (a1 + a2)/2 s + (a1 - a2)/2 s g      (1 sparse, 2
//     concentrated)
// Salient columns are few: one after another, by masks.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/grouped_kernels.cc"
#include <hwy/foreach_target.h>
// clang-format off
#include <hwy/highway.h>
// clang-format on

#include "kernels/lanes-inl.h"
#include "kernels/products.h"

HWY_BEFORE_NAMESPACE();
namespace signum::kernels::HWY_NAMESPACE {

HWY_INLINE V Half(V a) { return hn::Mul(hn::Set(D(), 0.5f), a); }

// x or -x, by a bit of every lane's word.
HWY_INLINE V Signed(float x, VU words, uint32_t bit) {
  const D d;
  const VU chosen = hn::ShiftLeftSame(words, int(31 - bit));
  const VU minus = hn::AndNot(chosen, hn::Set(DU(), 0x80000000u));
  return hn::Xor(hn::Set(d, x), hn::BitCast(d, minus));
}

// x where the bit is set, else 0.
HWY_INLINE V Chosen(float x, VU words, uint32_t bit) {
  const D d;
  return hn::IfThenElseZero(hn::RebindMask(d, hn::TestBit(words, hn::Set(DU(), 1u << bit))), hn::Set(d, x));
}

HWY_INLINE VU Same(VU a, VU b) { return hn::Not(hn::Xor(a, b)); }

// What half a tile reads.
struct Reader {
  HWY_INLINE Reader(const GroupedJob& job, const Rows& rows)
      : sign(job.sign, rows),
        plane2(job.plane2, rows),
        plane3(job.plane3, rows),
        scale(job.scale, rows),
        mean(job.mean, rows) {}
  const Words sign, plane2, plane3;
  const RowScalars scale, mean;
};

// One salient column of half a tile: its words, and the bits in them.
struct SalientBits {
  VU sign, plane2, third;
  uint32_t bit, bit3;
};

// Calls salient(column, bits) for the block's salient columns.
template <class Salient>
HWY_INLINE void ForSalient(const GroupedJob& job, const Reader& read, size_t b, const Salient& salient) {
  const VU none = hn::Zero(DU());
  SalientBits bits{none, none, none, 0, 0};
  size_t word = ~size_t(0), byte3 = ~size_t(0);
  for (size_t k = job.salient_begin[b]; k < job.salient_begin[b + 1]; ++k) {
    const SalientColumn& column = job.salient[k];
    if (column.bit / 32 != word) {
      word = column.bit / 32;
      bits.sign = read.sign.At(job.blocks[b].byte + 4 * word);
      bits.plane2 = read.plane2.At(job.blocks[b].byte + 4 * word);
    }
    if (job.plane3.data && (byte3 == ~size_t(0) || column.compact >= 8 * byte3 + 32)) {
      byte3 = column.compact / 8;
      bits.third = read.plane3.At(byte3);
    }
    bits.bit = column.bit % 32;
    bits.bit3 = uint32_t(column.compact - 8 * byte3) & 31;
    salient(column, bits);
  }
}

// The sums of a block over one table: of s, g and s g.
struct Sums {
  V sign, group, both;
};
template <size_t kLookup>
HWY_INLINE void LookUpWord(const float* tables, VU sign, VU group, Sums& sums) {
  if constexpr (kLookup < kLookups) {
    constexpr int kShift = int(kLookup) * kIndexBits;
    const Table table(tables + kLookup * kEntries);
    const VU s = hn::ShiftRight<kShift>(sign), g = hn::ShiftRight<kShift>(group);
    sums.sign = hn::Add(sums.sign, table[s]);
    sums.group = hn::Add(sums.group, table[g]);
    sums.both = hn::Add(sums.both, table[Same(s, g)]);
    LookUpWord<kLookup + 1>(tables, sign, group, sums);
  }
}

// The salient columns of one block, means and two orders; with a third plane in two groups.
HWY_INLINE V SalientMeans(const GroupedJob& job, const Reader& read, size_t b) {
  const D d;
  const V all = hn::Set(d, job.salient_sums[b]);
  V first = hn::Zero(d), second = first, group = first, first_group = first, second_group = first;
  const auto scale = [&](size_t slot) { return read.scale.At(b, slot); };
  const auto mean = [&](size_t slot) { return read.mean.At(b, slot); };
  if (!job.plane3.data) {
    ForSalient(job, read, b, [&](const SalientColumn& column, const SalientBits& bits) {
      first = hn::Add(first, Signed(column.x[0], bits.sign, bits.bit));
      second = hn::Add(second, Signed(column.x[0], bits.plane2, bits.bit));
    });
    return hn::MulAdd(mean(0), all, hn::MulAdd(scale(0), first, hn::Mul(scale(1), second)));
  }
  ForSalient(job, read, b, [&](const SalientColumn& column, const SalientBits& bits) {
    const float x = column.x[0];
    const VU in = hn::ShiftRightSame(bits.plane2, int(bits.bit));
    const VU other = hn::ShiftRightSame(bits.third, int(bits.bit3));
    first = hn::Add(first, Signed(x, bits.sign, bits.bit));
    second = hn::Add(second, Signed(x, bits.third, bits.bit3));
    group = hn::Add(group, Signed(x, bits.plane2, bits.bit));
    first_group = hn::Add(first_group, Signed(x, Same(bits.sign, bits.plane2), bits.bit));
    second_group = hn::Add(second_group, Signed(x, Same(in, other), 0));
  });
  const V m0 = mean(0), m1 = mean(1), a0 = scale(0), a1 = scale(1), a2 = scale(2), a3 = scale(3);
  V sum = hn::MulAdd(hn::Add(m0, m1), all, hn::Mul(hn::Sub(m0, m1), group));
  sum = hn::MulAdd(hn::Add(a0, a2), first, hn::MulAdd(hn::Sub(a0, a2), first_group, sum));
  return Half(hn::MulAdd(hn::Add(a1, a3), second, hn::MulAdd(hn::Sub(a1, a3), second_group, sum)));
}

void AddMeans(const GroupedJob& job, const Part& part, float* y) {
  const D d;
  const size_t groups = job.plane3.data ? 2 : 1;  // of salient columns; the others' slots come after theirs
  for (size_t half = 0; half < 2; ++half) {
    const Reader read(job, Rows(part.first + half * kLanes, job.rows));
    V total = hn::Load(d, y + half * kLanes);
    for (size_t b = part.begin; b < part.end; ++b) {
      const Block& block = job.blocks[b];
      const float* tables = job.tables[0] + block.table;
      Sums sums{hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      for (size_t w = 0; w < block.words; ++w, tables += kLookups * kEntries)
        LookUpWord<0>(tables, read.sign.At(block.byte + 4 * w), read.plane2.At(block.byte + 4 * w), sums);
      const V m1 = read.mean.At(b, groups), m2 = read.mean.At(b, groups + 1);
      const V a1 = read.scale.At(b, 2 * groups), a2 = read.scale.At(b, 2 * groups + 1);
      V sum = hn::MulAdd(hn::Add(m1, m2), hn::Set(d, job.sums[b]), hn::Mul(hn::Sub(m1, m2), sums.group));
      sum = hn::MulAdd(hn::Add(a1, a2), sums.sign, hn::MulAdd(hn::Sub(a1, a2), sums.both, sum));
      total = hn::Add(total, hn::Add(Half(sum), SalientMeans(job, read, b)));
    }
    hn::Store(total, d, y + half * kLanes);
  }
}

// arb-rc: no means, and a column has its own scale in every slot.
HWY_INLINE V SalientRankOne(const GroupedJob& job, const Reader& read, size_t b) {
  const D d;
  V sums[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  if (!job.plane3.data) {
    ForSalient(job, read, b, [&](const SalientColumn& column, const SalientBits& bits) {
      sums[0] = hn::Add(sums[0], Signed(column.x[0], bits.sign, bits.bit));
      sums[1] = hn::Add(sums[1], Signed(column.x[1], bits.plane2, bits.bit));
    });
    return hn::MulAdd(read.scale.At(b, 0), sums[0], hn::Mul(read.scale.At(b, 1), sums[1]));
  }
  ForSalient(job, read, b, [&](const SalientColumn& column, const SalientBits& bits) {
    const M sparse = hn::RebindMask(d, hn::TestBit(bits.plane2, hn::Set(DU(), 1u << bits.bit)));
    const auto add = [&](size_t slot, VU words, uint32_t bit) {
      const V value = Signed(column.x[slot], words, bit);
      const V member = slot < 2 ? hn::IfThenElseZero(sparse, value) : hn::IfThenZeroElse(sparse, value);
      sums[slot] = hn::Add(sums[slot], member);
    };
    add(0, bits.sign, bits.bit);
    add(1, bits.third, bits.bit3);
    add(2, bits.sign, bits.bit);
    add(3, bits.third, bits.bit3);
  });
  V sum = hn::Mul(read.scale.At(b, 0), sums[0]);
  for (size_t slot = 1; slot < 4; ++slot) sum = hn::MulAdd(read.scale.At(b, slot), sums[slot], sum);
  return sum;
}

// Twice the sums of s x over the sparse and over the concentrated weights.
struct GroupSums {
  V sparse, concentrated;
};
template <size_t kLookup>
HWY_INLINE void LookUpGroups(const float* of_sparse, const float* of_concentrated, VU sign, VU both,
                             GroupSums& sums) {
  if constexpr (kLookup < kLookups) {
    constexpr int kShift = int(kLookup) * kIndexBits;
    const Table sparse(of_sparse + kLookup * kEntries), concentrated(of_concentrated + kLookup * kEntries);
    const VU s = hn::ShiftRight<kShift>(sign), sg = hn::ShiftRight<kShift>(both);
    sums.sparse = hn::Add(sums.sparse, hn::Add(sparse[s], sparse[sg]));
    sums.concentrated = hn::Add(sums.concentrated, hn::Sub(concentrated[s], concentrated[sg]));
    LookUpGroups<kLookup + 1>(of_sparse, of_concentrated, sign, both, sums);
  }
}

void AddRankOne(const GroupedJob& job, const Part& part, float* y) {
  const D d;
  const size_t sparse_slot = job.plane3.data ? 4 : 2;
  for (size_t half = 0; half < 2; ++half) {
    const Reader read(job, Rows(part.first + half * kLanes, job.rows));
    V total = hn::Load(d, y + half * kLanes);
    for (size_t b = part.begin; b < part.end; ++b) {
      const Block& block = job.blocks[b];
      const float *sparse = job.tables[0] + block.table, *concentrated = job.tables[1] + block.table;
      GroupSums sums{hn::Zero(d), hn::Zero(d)};
      for (size_t w = 0; w < block.words; ++w) {
        const VU sign = read.sign.At(block.byte + 4 * w);
        LookUpGroups<0>(sparse, concentrated, sign, Same(sign, read.plane2.At(block.byte + 4 * w)), sums);
        sparse += kLookups * kEntries, concentrated += kLookups * kEntries;
      }
      const V of_sparse = hn::Mul(read.scale.At(b, sparse_slot), sums.sparse);
      const V sum = hn::MulAdd(read.scale.At(b, sparse_slot + 1), sums.concentrated, of_sparse);
      total = hn::Add(total, hn::Add(Half(sum), SalientRankOne(job, read, b)));
    }
    hn::Store(total, d, y + half * kLanes);
  }
}

}  // namespace signum::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace signum::kernels {

HWY_EXPORT(AddMeans);
HWY_EXPORT(AddRankOne);

void add_means(const GroupedJob& job, const Part& part, float* y) {
  HWY_DYNAMIC_DISPATCH(AddMeans)(job, part, y);
}
void add_rank_one(const GroupedJob& job, const Part& part, float* y) {
  HWY_DYNAMIC_DISPATCH(AddRankOne)(job, part, y);
}

}  // namespace signum::kernels
#endif
