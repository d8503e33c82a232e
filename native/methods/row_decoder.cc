// Rows of packed linears to weights. docs/FORMAT.md defines every operation; each one rounds to F32 by itself
// (-ffp-contract=off).
#include <algorithm>
#include <bit>
#include <cstring>

#include "math/to_f32.h"
#include "methods/bit_streams.h"
#include "methods/decode_kernels.h"
#include "methods/packed_view.h"
#include "methods/salient_mask.h"

namespace signum {
namespace {

using Floats = std::vector<float>;

Floats scalars(const PackedView& linear, const char* role) {
  const std::span<const uint8_t> bytes = linear.bytes(role);
  const DType type = linear.layout.scale_type;
  Floats out(bytes.size() / dtype_bytes(type));
  to_f32(type, bytes.data(), out.size(), out.data());
  return out;
}

// Rows of bits; none where the layout has no such plane.
struct Plane {
  const uint8_t* bytes = nullptr;
  size_t row_bytes = 0;
  const uint8_t* row(size_t i) const { return bytes ? bytes + i * row_bytes : nullptr; }
  bool bit(size_t i, size_t j) const { return row(i)[j >> 3] >> (j & 7) & 1; }
};

Plane plane(const PackedView& linear, const char* role) {
  const auto bytes = linear.bytes(role);
  return {bytes.data(), bytes.size() / linear.layout.rows};
}

// Without a branch: signs are as good as random.
float with_sign(bool positive, float value) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) ^ uint32_t(!positive) << 31);
}

// Calls part(index, first, count) for the parts of a row that share their scales.
template <class Part>
void for_parts(size_t columns, size_t width, const Part& part) {
  for (size_t first = 0, index = 0; first < columns; first += width, ++index)
    part(index, first, std::min(width, columns - first));
}

// Unpacks the codes of a row.
template <size_t kBits>
void unpack(const uint8_t* row, size_t count, uint8_t* out) {
  constexpr uint64_t kMost = (uint64_t(1) << kBits) - 1;
  size_t k = 0;
  // Eight codes begin and end at a byte; what is read beyond them belongs to the row.
  for (; k + 64 / kBits + 8 <= count; k += 8) {
    uint64_t word;
    std::memcpy(&word, row + k / 8 * kBits, 8);
    for (size_t i = 0; i < 8; ++i) out[k + i] = uint8_t(word >> (i * kBits) & kMost);
  }
  for (; k < count; ++k) out[k] = uint8_t(code_at(row, k, kBits));
}

void unpack(const uint8_t* row, size_t count, int bits, uint8_t* out) {
  using Unpack = void (*)(const uint8_t*, size_t, uint8_t*);
  constexpr Unpack kByBits[] = {unpack<1>, unpack<2>, unpack<3>, unpack<4>,
                                unpack<5>, unpack<6>, unpack<7>, unpack<8>};
  kByBits[bits - 1](row, count, out);
}

RowDecoder decode_codes(const PackedView& linear) {
  const Layout& l = linear.layout;
  const uint8_t* zero = l.symmetric ? nullptr : linear.bytes("code_zero").data();
  const int middle = 1 << (l.bits - 1);
  const size_t groups = (l.columns + l.group - 1) / l.group;
  return [=, &l, code = plane(linear, "code"), scale = scalars(linear, "code_scale")](size_t i, float* out) {
    std::vector<uint8_t> codes(l.columns);
    unpack(code.row(i), l.columns, l.bits, codes.data());
    for_parts(l.columns, l.group, [&](size_t index, size_t first, size_t count) {
      const size_t g = i * groups + index;
      decode_kernels::codes(codes.data() + first, count, scale[g], zero ? int(zero[g]) : middle, out + first);
    });
  };
}

// The planes of billm and the ARB methods.
struct GroupedPlanes {
  explicit GroupedPlanes(const PackedView& linear)
      : layout(linear.layout),
        sign(plane(linear, "sign")),
        plane2(plane(linear, "plane2")),
        group2(plane(linear, "group2")),
        plane3(plane(linear, "plane3")) {
    const Plane flags = plane(linear, "salient");
    for (size_t j = 0; j < layout.columns; ++j)
      if (flags.bit(0, j)) salient.push_back({uint32_t(j), uint32_t(j / layout.blocksize)});
  }
  // 0 = the largest |T|. Of a salient column without a bitmap of groups: 0.
  size_t group(size_t i, size_t j) const {
    const size_t low = plane2.bit(i, j);
    return layout.splits - (layout.splits == 1 ? low : 2 * low + group2.bit(i, j));
  }
  size_t salient_group(size_t i, size_t j) const { return layout.column_group_bitmap ? group(i, j) : 0; }
  // Of salient column number k, which is column j.
  bool second(size_t i, size_t k, size_t j) const {
    return layout.column_group_bitmap ? plane3.bit(i, k) : plane2.bit(i, j);
  }

  const Layout& layout;
  Plane sign, plane2, group2, plane3;
  struct Salient {
    uint32_t column, block;
  };
  std::vector<Salient> salient;  // ascending
};

// billm, arb, arb-x: means and scales. All columns are decoded as if none were salient, then those that are.
RowDecoder decode_means(const PackedView& linear) {
  const Layout& l = linear.layout;
  const size_t blocks = l.blocks(), slot = l.rows * blocks, salient_groups = l.salient_groups();
  return [=, &l, planes = GroupedPlanes(linear), scale = scalars(linear, "scale"),
          mean = scalars(linear, "mean")](size_t i, float* out) {
    const auto level = [&](size_t group, bool sign, size_t at) {
      return mean[(salient_groups + group) * slot + at] +
             with_sign(sign, scale[(2 * salient_groups + group) * slot + at]);
    };
    for_parts(l.columns, l.blocksize, [&](size_t block, size_t first, size_t count) {
      const size_t at = i * blocks + block;
      if (l.splits == 1) {
        const float of[4] = {level(1, false, at), level(1, true, at), level(0, false, at),
                             level(0, true, at)};
        decode_kernels::levels(planes.sign.row(i), planes.plane2.row(i), first, count, of, out + first);
      } else {
        for (size_t j = first; j < first + count; ++j)
          out[j] = level(planes.group(i, j), planes.sign.bit(i, j), at);
      }
    });
    for (size_t k = 0; k < planes.salient.size(); ++k) {
      const size_t j = planes.salient[k].column, at = i * blocks + planes.salient[k].block;
      const size_t group = planes.salient_group(i, j);
      const float order1 =
          mean[group * slot + at] + with_sign(planes.sign.bit(i, j), scale[2 * group * slot + at]);
      out[j] = order1 + with_sign(planes.second(i, k, j), scale[(2 * group + 1) * slot + at]);
    }
  };
}

RowDecoder decode_arb_rc(const PackedView& linear) {
  const Layout& l = linear.layout;
  const size_t blocks = l.blocks(), slot = l.rows * blocks, n = l.columns;
  const size_t salient_slots = 2 * l.salient_groups();
  return [=, &l, planes = GroupedPlanes(linear), row_scale = scalars(linear, "row_scale"),
          column_scale = scalars(linear, "column_scale")](size_t i, float* out) {
    const auto product = [&](size_t row_slot, size_t column_slot, size_t block, size_t j) {
      return row_scale[row_slot * slot + i * blocks + block] * column_scale[column_slot * n + j];
    };
    for_parts(n, l.blocksize, [&](size_t block, size_t first, size_t count) {
      if (l.splits == 1) {
        const size_t at = i * blocks + block;
        const float row[2] = {row_scale[salient_slots * slot + at],
                              row_scale[(salient_slots + 1) * slot + at]};
        const float* const column[2] = {&column_scale[first], &column_scale[n + first]};
        decode_kernels::rank_one(planes.sign.row(i), planes.plane2.row(i), first, count, row, column,
                                 out + first);
      } else {
        for (size_t j = first; j < first + count; ++j) {
          const size_t group = planes.group(i, j);
          out[j] = with_sign(planes.sign.bit(i, j), product(salient_slots + group, group, block, j));
        }
      }
    });
    for (size_t k = 0; k < planes.salient.size(); ++k) {
      const size_t j = planes.salient[k].column, block = planes.salient[k].block;
      const size_t group = planes.salient_group(i, j);
      out[j] = with_sign(planes.sign.bit(i, j), product(2 * group, 2 * group, block, j)) +
               with_sign(planes.second(i, k, j), product(2 * group + 1, 2 * group + 1, block, j));
    }
  };
}

RowDecoder decode_pb_llm(const PackedView& linear) {
  const Layout& l = linear.layout;
  const MaskBytes mask = mask_bytes(linear);
  const uint8_t *code = linear.bytes("code").data(), *zero = linear.bytes("code_zero").data();
  const size_t groups = (l.columns + l.group - 1) / l.group, low_bits = size_t(l.salient_bits) - 1;
  return [=, &l, starts = mask_starts(l, mask.counts), sign = plane(linear, "sign"),
          mean = scalars(linear, "mean"), scale = scalars(linear, "scale"),
          step = scalars(linear, "code_scale")](size_t i, float* out) {
    for_parts(l.columns, l.group, [&](size_t index, size_t first, size_t count) {
      const size_t g = i * groups + index;
      const float of[4] = {mean[g] + -scale[g], mean[g] + scale[g], 0, 0};
      decode_kernels::levels(sign.row(i), nullptr, first, count, of, out + first);
    });
    std::vector<uint32_t> columns(starts[i + 1] - starts[i]);
    read_mask_row(l, mask, starts, i, columns.data());
    for (size_t k = starts[i]; k < starts[i + 1]; ++k) {
      const size_t j = columns[k - starts[i]];
      const int value = int(code_at(code, k, low_bits)) | int(sign.bit(i, j)) << low_bits;
      out[j] = step[i] * float(value - int(zero[i]));
    }
  };
}

RowDecoder decode_fdb(const PackedView& linear) {
  const Layout& l = linear.layout;
  const size_t groups = (l.columns + l.group - 1) / l.group, slot = l.rows * groups;
  return [=, &l, plane1 = plane(linear, "sign"), plane2 = plane(linear, "plane2"),
          scale = scalars(linear, "scale")](size_t i, float* out) {
    for_parts(l.columns, l.group, [&](size_t index, size_t first, size_t count) {
      const float one = scale[i * groups + index], two = scale[slot + i * groups + index];
      const float of[4] = {0.0f, one + 0.0f, 0.0f + two, one + two};
      decode_kernels::levels(plane1.row(i), plane2.row(i), first, count, of, out + first);
    });
  };
}

RowDecoder decode_signum_rc(const PackedView& linear) {
  const Layout& l = linear.layout;
  struct SignPlane {
    size_t columns, blocks;
    Floats row, column;
    Plane sign;
  };
  std::vector<SignPlane> planes;
  for (const auto& [suffix, k] :
       {std::pair("", l.columns), std::pair("2", l.second_columns), std::pair("3", l.third_columns)}) {
    if (k == 0) continue;
    const auto role = [&](const char* name) { return name + std::string(suffix); };
    planes.push_back({k, (k + l.blocksize - 1) / l.blocksize, scalars(linear, role("row_scale").c_str()),
                      scalars(linear, role("column_scale").c_str()), plane(linear, role("sign").c_str())});
  }
  return [&l, planes = std::move(planes)](size_t i, float* out) {
    for (const SignPlane& one : planes)
      for_parts(one.columns, l.blocksize, [&](size_t block, size_t first, size_t count) {
        decode_kernels::signs(one.sign.row(i), first, count, one.row[i * one.blocks + block],
                              l.column_scales ? one.column.data() + first : nullptr, &one != &planes[0],
                              out + first);
      });
  };
}

}  // namespace

RowDecoder row_decoder(const PackedView& linear) {
  switch (linear.layout.method) {
    case Method::Rtn:
    case Method::Gptq:
      return decode_codes(linear);
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
      return decode_means(linear);
    case Method::ArbRc:
      return decode_arb_rc(linear);
    case Method::PbLlm:
      return decode_pb_llm(linear);
    case Method::Fdb:
      return decode_fdb(linear);
    case Method::SignumRc:
      return decode_signum_rc(linear);
  }
  return {};
}

}  // namespace signum
