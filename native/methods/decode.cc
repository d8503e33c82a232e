// The native decoder. docs/FORMAT.md defines every operation; each one rounds to F32 by itself
// (-ffp-contract=off).
#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "base/pool.h"
#include "methods/bit_streams.h"
#include "methods/packed_view.h"
#include "methods/salient_mask.h"

namespace signum {
namespace {

using Floats = std::vector<float>;

Floats scalars(const PackedView& linear, const char* role) {
  const std::span<const uint8_t> bytes = linear.bytes(role);
  const DType type = linear.layout.scale_type;
  Floats out(bytes.size() / dtype_bytes(type));
  for (size_t i = 0; i < out.size(); ++i) {
    if (type == DType::F32) {
      std::memcpy(&out[i], bytes.data() + i * 4, 4);
    } else {
      uint16_t bits;
      std::memcpy(&bits, bytes.data() + i * 2, 2);
      out[i] = type == DType::F16 ? half_to_float(bits) : bfloat_to_float(bits);
    }
  }
  return out;
}

// One row of a bit plane.
struct Bits {
  const uint8_t* bytes = nullptr;
  bool operator[](size_t j) const { return bytes[j >> 3] >> (j & 7) & 1; }
};

// Rows of bits; none where the layout has no such plane.
struct Plane {
  const uint8_t* bytes = nullptr;
  size_t row_bytes = 0;
  Bits row(size_t i) const { return {bytes ? bytes + i * row_bytes : nullptr}; }
};

Plane plane(const PackedView& linear, const char* role) {
  const auto bytes = linear.bytes(role);
  return {bytes.data(), bytes.size() / linear.layout.rows};
}

float with_sign(bool positive, float value) { return positive ? value : -value; }

RowDecoder decode_codes(const PackedView& linear) {
  const Layout& l = linear.layout;
  const uint8_t* zero = l.symmetric ? nullptr : linear.bytes("code_zero").data();
  const int middle = 1 << (l.bits - 1);
  const size_t groups = (l.columns + l.group - 1) / l.group, bits = size_t(l.bits);
  return [=, &l, code = plane(linear, "code"), scale = scalars(linear, "code_scale")](size_t i, float* out) {
    const uint8_t* row = code.row(i).bytes;
    for (size_t j = 0; j < l.columns; ++j) {
      const size_t g = i * groups + j / l.group;
      const int value = int(code_at(row, j, bits));
      out[j] = scale[g] * float(value - (zero ? int(zero[g]) : middle));
    }
  };
}

// The planes of billm and the ARB methods.
struct GroupedPlanes {
  explicit GroupedPlanes(const PackedView& linear)
      : salient(plane(linear, "salient")),
        sign(plane(linear, "sign")),
        plane2(plane(linear, "plane2")),
        group2(plane(linear, "group2")),
        plane3(plane(linear, "plane3")) {}
  Plane salient, sign, plane2, group2, plane3;
};

// The bits of one row of them, by stored column.
class GroupedRow {
 public:
  GroupedRow(const Layout& layout, const GroupedPlanes& planes, size_t row)
      : layout_(layout),
        salient_(planes.salient.row(0)),
        sign_(planes.sign.row(row)),
        plane2_(planes.plane2.row(row)),
        group2_(planes.group2.row(row)),
        plane3_(planes.plane3.row(row)) {}

  // Columns ascending, each once.
  void enter(size_t column) {
    column_ = column;
    if (!salient_[column]) return;
    second_ = layout_.column_group_bitmap ? plane3_[salient_before_] : plane2_[column];
    ++salient_before_;
  }
  bool salient() const { return salient_[column_]; }
  bool sign() const { return sign_[column_]; }
  bool second() const { return second_; }  // salient columns only
  // 0 = the largest |T|; of salient columns 0 where they have one group only.
  size_t group() const {
    if (salient() && !layout_.column_group_bitmap) return 0;
    const size_t size = layout_.splits == 1 ? plane2_[column_] : 2 * plane2_[column_] + group2_[column_];
    return layout_.splits - size;
  }

 private:
  const Layout& layout_;
  Bits salient_, sign_, plane2_, group2_, plane3_;
  size_t column_ = 0, salient_before_ = 0;
  bool second_ = false;
};

// billm, arb, arb-x: means and scales.
RowDecoder decode_means(const PackedView& linear) {
  const Layout& l = linear.layout;
  const size_t slot = l.rows * l.blocks(), salient_groups = l.salient_groups();
  return [=, &l, planes = GroupedPlanes(linear), scale = scalars(linear, "scale"),
          mean = scalars(linear, "mean")](size_t i, float* out) {
    GroupedRow bits(l, planes, i);
    for (size_t j = 0; j < l.columns; ++j) {
      bits.enter(j);
      const size_t at = i * l.blocks() + j / l.blocksize, group = bits.group();
      if (bits.salient()) {
        const float first = mean[group * slot + at] + with_sign(bits.sign(), scale[2 * group * slot + at]);
        out[j] = first + with_sign(bits.second(), scale[(2 * group + 1) * slot + at]);
      } else {
        out[j] = mean[(salient_groups + group) * slot + at] +
                 with_sign(bits.sign(), scale[(2 * salient_groups + group) * slot + at]);
      }
    }
  };
}

RowDecoder decode_arb_rc(const PackedView& linear) {
  const Layout& l = linear.layout;
  const size_t slot = l.rows * l.blocks(), n = l.columns, salient_slots = 2 * l.salient_groups();
  return [=, &l, planes = GroupedPlanes(linear), row_scale = scalars(linear, "row_scale"),
          column_scale = scalars(linear, "column_scale")](size_t i, float* out) {
    GroupedRow bits(l, planes, i);
    for (size_t j = 0; j < n; ++j) {
      bits.enter(j);
      const size_t at = i * l.blocks() + j / l.blocksize, group = bits.group();
      const auto product = [&](size_t row_slot, size_t column_slot) {
        return row_scale[row_slot * slot + at] * column_scale[column_slot * n + j];
      };
      if (bits.salient())
        out[j] = with_sign(bits.sign(), product(2 * group, 2 * group)) +
                 with_sign(bits.second(), product(2 * group + 1, 2 * group + 1));
      else
        out[j] = with_sign(bits.sign(), product(salient_slots + group, group));
    }
  };
}

RowDecoder decode_pb_llm(const PackedView& linear) {
  const Layout& l = linear.layout;
  const MaskBytes mask = mask_bytes(linear);
  const uint8_t *code = linear.bytes("code").data(), *zero = linear.bytes("code_zero").data();
  const size_t groups = (l.columns + l.group - 1) / l.group, low_bits = size_t(l.salient_bits) - 1;
  return [=, &l, starts = mask_starts(l, mask.counts), signs = plane(linear, "sign"),
          mean = scalars(linear, "mean"), scale = scalars(linear, "scale"),
          step = scalars(linear, "code_scale")](size_t i, float* out) {
    const Bits sign = signs.row(i);
    for (size_t j = 0; j < l.columns; ++j) {
      const size_t g = i * groups + j / l.group;
      out[j] = mean[g] + with_sign(sign[j], scale[g]);
    }
    std::vector<uint32_t> columns(starts[i + 1] - starts[i]);
    read_mask_row(l, mask, starts, i, columns.data());
    for (size_t k = starts[i]; k < starts[i + 1]; ++k) {
      const size_t j = columns[k - starts[i]];
      const int value = int(code_at(code, k, low_bits)) | int(sign[j]) << low_bits;
      out[j] = step[i] * float(value - int(zero[i]));
    }
  };
}

RowDecoder decode_fdb(const PackedView& linear) {
  const Layout& l = linear.layout;
  const size_t groups = (l.columns + l.group - 1) / l.group, slot = l.rows * groups;
  return [=, &l, plane1 = plane(linear, "sign"), plane2 = plane(linear, "plane2"),
          scale = scalars(linear, "scale")](size_t i, float* out) {
    const Bits first = plane1.row(i), second = plane2.row(i);
    for (size_t j = 0; j < l.columns; ++j) {
      const size_t at = i * groups + j / l.group;
      out[j] = (first[j] ? scale[at] : 0.0f) + (second[j] ? scale[slot + at] : 0.0f);
    }
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
    Floats column = scalars(linear, role("column_scale").c_str());
    if (!l.column_scales) column.assign(k, 1.0f);
    planes.push_back({k, (k + l.blocksize - 1) / l.blocksize, scalars(linear, role("row_scale").c_str()),
                      std::move(column), plane(linear, role("sign").c_str())});
  }
  return [&l, planes = std::move(planes)](size_t i, float* out) {
    for (const SignPlane& one : planes) {
      const Bits sign = one.sign.row(i);
      const float* row = one.row.data() + i * one.blocks;
      for (size_t j = 0; j < one.columns; ++j) {
        const float value = with_sign(sign[j], row[j / l.blocksize] * one.column[j]);
        out[j] = &one == &planes[0] ? value : out[j] + value;
      }
    }
  };
}

Error broken(const std::string& message) { return {"packed_broken", message, ""}; }

}  // namespace

std::span<const uint8_t> PackedView::bytes(const std::string& role) const {
  const auto found = tensors.find(role);
  return found == tensors.end() ? std::span<const uint8_t>() : found->second;
}

PackedView view_of(const PackedLinear& linear) {
  PackedView view{.layout = linear.layout, .tensors = {}, .order = linear.order};
  for (const PackedTensor& tensor : linear.tensors) view.tensors[tensor.role] = tensor.bytes;
  return view;
}

Status check_view(const PackedView& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  for (const TensorRule& rule : tensor_rules(l)) {
    size_t bytes = dtype_bytes(rule.dtype);
    for (const size_t side : rule.shape) bytes *= side;
    if (!linear.tensors.contains(rule.role) || linear.bytes(rule.role).size() != bytes)
      return broken("The tensor '" + rule.role + "' is missing or does not fit its layout.");
  }
  if (l.has_order != bool(linear.order) || (linear.order && linear.order->size() != l.columns))
    return broken("The order of the columns is missing or does not fit its layout.");
  if (has_salient_columns(l.method)) {
    size_t salient = 0;
    for (size_t j = 0; j < l.columns; ++j) salient += plane(linear, "salient").row(0)[j];
    if (salient != l.salient_columns) return broken("The salient flags do not match the layout's count.");
  }
  if (l.splits == 2) {  // three groups: both bits are never set
    const auto high = linear.bytes("plane2"), low = linear.bytes("group2");
    for (size_t i = 0; i < high.size(); ++i)
      if (high[i] & low[i]) return broken("A weight is in a group that its layout does not have.");
  }
  return l.method == Method::PbLlm ? check_mask(linear, pool) : Status();
}

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

Result<Matrix> decode(const PackedLinear& linear, ThreadPool& pool) {
  for (const TensorRule& rule : tensor_rules(linear.layout))
    if (const PackedTensor* tensor = linear.find(rule.role);
        tensor && (tensor->dtype != rule.dtype || tensor->shape != rule.shape))
      return broken("The tensor '" + rule.role + "' is missing or does not fit its layout.");
  const PackedView view = view_of(linear);
  SIGNUM_TRY(check_view(view, pool));
  const RowDecoder decode_row = row_decoder(view);
  const size_t m = linear.layout.rows, n = linear.layout.columns;
  Matrix out(m, n);
  constexpr size_t kBand = 16;
  pool.parallel_for((m + kBand - 1) / kBand, [&](size_t band) {
    Floats stored(linear.order ? n : 0);
    for (size_t i = band * kBand; i < std::min(m, (band + 1) * kBand); ++i) {
      if (!linear.order) {
        decode_row(i, out.row(i));
        continue;
      }
      decode_row(i, stored.data());
      for (size_t j = 0; j < n; ++j) out(i, (*linear.order)[j]) = stored[j];
    }
  });
  return out;
}

}  // namespace signum
