// The native decoder. docs/FORMAT.md defines every operation; each one rounds to F32 by itself
// (-ffp-contract=off).
#include <cstring>

#include "base/half.h"
#include "base/pool.h"
#include "methods/bit_streams.h"
#include "methods/salient_mask.h"

namespace signum {
namespace {

using Floats = std::vector<float>;

Floats scalars(const PackedLinear& linear, const char* role) {
  const PackedTensor* tensor = linear.find(role);
  if (!tensor) return {};
  Floats out(tensor->bytes.size() / dtype_bytes(tensor->dtype));
  for (size_t i = 0; i < out.size(); ++i) {
    if (tensor->dtype == DType::F32) {
      std::memcpy(&out[i], tensor->bytes.data() + i * 4, 4);
    } else {
      uint16_t bits;
      std::memcpy(&bits, tensor->bytes.data() + i * 2, 2);
      out[i] = tensor->dtype == DType::F16 ? half_to_float(bits) : bfloat_to_float(bits);
    }
  }
  return out;
}

// One row of a bit plane.
struct Bits {
  const uint8_t* bytes = nullptr;
  bool operator[](size_t j) const { return bytes[j >> 3] >> (j & 7) & 1; }
};

Bits plane_row(const PackedTensor* plane, size_t row) {
  return {plane ? plane->bytes.data() + row * plane->shape.back() : nullptr};
}

float with_sign(bool positive, float value) { return positive ? value : -value; }

// Calls row(i, out) for every row in parallel; out is in stored column order and lands in input column order.
template <class RowDecoder>
Matrix decode_rows(const PackedLinear& linear, ThreadPool& pool, const RowDecoder& decode_row) {
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

Matrix decode_codes(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  const Floats scale = scalars(linear, "code_scale");
  const uint8_t* zero = l.symmetric ? nullptr : linear.find("code_zero")->bytes.data();
  const int middle = 1 << (l.bits - 1);
  const PackedTensor* code = linear.find("code");
  const size_t groups = (l.columns + l.group - 1) / l.group, bits = size_t(l.bits);
  return decode_rows(linear, pool, [&](size_t i, float* out) {
    const uint8_t* row = code->bytes.data() + i * code->shape[1];
    for (size_t j = 0; j < l.columns; ++j) {
      const size_t g = i * groups + j / l.group;
      const int value = int(code_at(row, j, bits));
      out[j] = scale[g] * float(value - (zero ? int(zero[g]) : middle));
    }
  });
}

// The bits of one row of billm and the ARB methods, by stored column.
class GroupedRow {
 public:
  GroupedRow(const PackedLinear& linear, size_t row)
      : layout_(linear.layout),
        salient_(plane_row(linear.find("salient"), 0)),
        sign_(plane_row(linear.find("sign"), row)),
        plane2_(plane_row(linear.find("plane2"), row)),
        group2_(plane_row(layout_.splits > 1 ? linear.find("group2") : nullptr, row)),
        plane3_(plane_row(linear.find("plane3"), row)) {}

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
Matrix decode_means(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  const Floats scale = scalars(linear, "scale"), mean = scalars(linear, "mean");
  const size_t slot = l.rows * l.blocks(), salient_groups = l.salient_groups();
  return decode_rows(linear, pool, [&](size_t i, float* out) {
    GroupedRow bits(linear, i);
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
  });
}

Matrix decode_arb_rc(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  const Floats row_scale = scalars(linear, "row_scale"), column_scale = scalars(linear, "column_scale");
  const size_t slot = l.rows * l.blocks(), n = l.columns, salient_slots = 2 * l.salient_groups();
  return decode_rows(linear, pool, [&](size_t i, float* out) {
    GroupedRow bits(linear, i);
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
  });
}

Result<Matrix> decode_pb_llm(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  SIGNUM_TAKE(const SalientPlaces places, read_mask(linear, pool));
  const Floats mean = scalars(linear, "mean"), scale = scalars(linear, "scale");
  const Floats step = scalars(linear, "code_scale");
  const uint8_t *code = linear.find("code")->bytes.data(), *zero = linear.find("code_zero")->bytes.data();
  const size_t groups = (l.columns + l.group - 1) / l.group, low_bits = size_t(l.salient_bits) - 1;
  return decode_rows(linear, pool, [&](size_t i, float* out) {
    const Bits sign = plane_row(linear.find("sign"), i);
    for (size_t j = 0; j < l.columns; ++j) {
      const size_t g = i * groups + j / l.group;
      out[j] = mean[g] + with_sign(sign[j], scale[g]);
    }
    for (size_t k = places.starts[i]; k < places.starts[i + 1]; ++k) {
      const size_t j = places.columns[k];
      const int value = int(code_at(code, k, low_bits)) | int(sign[j]) << low_bits;
      out[j] = step[i] * float(value - int(zero[i]));
    }
  });
}

Matrix decode_fdb(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  const Floats scale = scalars(linear, "scale");
  const size_t groups = (l.columns + l.group - 1) / l.group, slot = l.rows * groups;
  return decode_rows(linear, pool, [&](size_t i, float* out) {
    const Bits first = plane_row(linear.find("sign"), i), second = plane_row(linear.find("plane2"), i);
    for (size_t j = 0; j < l.columns; ++j) {
      const size_t at = i * groups + j / l.group;
      out[j] = (first[j] ? scale[at] : 0.0f) + (second[j] ? scale[slot + at] : 0.0f);
    }
  });
}

Matrix decode_signum_rc(const PackedLinear& linear, ThreadPool& pool) {
  const Layout& l = linear.layout;
  struct Plane {
    size_t columns, blocks;
    Floats row, column;
    const PackedTensor* sign;
  };
  std::vector<Plane> planes;
  for (const auto& [suffix, k] :
       {std::pair("", l.columns), std::pair("2", l.second_columns), std::pair("3", l.third_columns)}) {
    if (k == 0) continue;
    const auto role = [&](const char* name) { return name + std::string(suffix); };
    Floats column = scalars(linear, role("column_scale").c_str());
    if (!l.column_scales) column.assign(k, 1.0f);
    planes.push_back({k, (k + l.blocksize - 1) / l.blocksize, scalars(linear, role("row_scale").c_str()),
                      std::move(column), linear.find(role("sign"))});
  }
  return decode_rows(linear, pool, [&](size_t i, float* out) {
    for (const Plane& plane : planes) {
      const Bits sign = plane_row(plane.sign, i);
      const float* row = plane.row.data() + i * plane.blocks;
      for (size_t j = 0; j < plane.columns; ++j) {
        const float value = with_sign(sign[j], row[j / l.blocksize] * plane.column[j]);
        out[j] = &plane == &planes[0] ? value : out[j] + value;
      }
    }
  });
}

Status check_tensors(const PackedLinear& linear) {
  for (const TensorRule& rule : tensor_rules(linear.layout)) {
    const PackedTensor* tensor = linear.find(rule.role);
    size_t bytes = dtype_bytes(rule.dtype);
    for (const size_t d : rule.shape) bytes *= d;
    if (!tensor || tensor->dtype != rule.dtype || tensor->shape != rule.shape ||
        tensor->bytes.size() != bytes)
      return Error{"packed_broken", "The tensor '" + rule.role + "' is missing or does not fit its layout.",
                   ""};
  }
  const Layout& l = linear.layout;
  if (l.has_order != bool(linear.order) || (linear.order && linear.order->size() != l.columns))
    return Error{"packed_broken", "The order of the columns is missing or does not fit its layout.", ""};
  if (has_salient_columns(l.method)) {
    size_t salient = 0;
    for (size_t j = 0; j < l.columns; ++j) salient += plane_row(linear.find("salient"), 0)[j];
    if (salient != l.salient_columns)
      return Error{"packed_broken", "The salient flags do not match the layout's count.", ""};
  }
  if (l.splits == 2) {  // three groups: both bits are never set
    const auto &high = linear.find("plane2")->bytes, &low = linear.find("group2")->bytes;
    for (size_t i = 0; i < high.size(); ++i)
      if (high[i] & low[i])
        return Error{"packed_broken", "A weight is in a group that its layout does not have.", ""};
  }
  return {};
}

}  // namespace

Result<Matrix> decode(const PackedLinear& linear, ThreadPool& pool) {
  SIGNUM_TRY(check_tensors(linear));
  switch (linear.layout.method) {
    case Method::Rtn:
    case Method::Gptq:
      return decode_codes(linear, pool);
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
      return decode_means(linear, pool);
    case Method::ArbRc:
      return decode_arb_rc(linear, pool);
    case Method::PbLlm:
      return decode_pb_llm(linear, pool);
    case Method::Fdb:
      return decode_fdb(linear, pool);
    case Method::SignumRc:
      return decode_signum_rc(linear, pool);
  }
  return Error{"internal", "A layout without a decoder.", ""};
}

}  // namespace signum
