#include "cuda/kernels/device_packed.h"

#include <algorithm>
#include <bit>

#include "cuda/kernels/relay.h"
#include "math/to_f32.h"
#include "methods/salient_mask.h"

namespace signum::cuda {
namespace {

PackedKind kind_of(Method method) {
  switch (method) {
    case Method::Rtn:
    case Method::Gptq:
      return PackedKind::Codes;
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
      return PackedKind::Means;
    case Method::ArbRc:
      return PackedKind::RankOne;
    case Method::PbLlm:
      return PackedKind::PbLlm;
    case Method::Fdb:
      return PackedKind::Fdb;
    case Method::SignumRc:
      return PackedKind::SignumRc;
  }
  return PackedKind::Codes;
}

// Columns that share their scales.
size_t group_width(const Layout& l) {
  const bool grouped = l.method == Method::Rtn || l.method == Method::Gptq || l.method == Method::PbLlm ||
                       l.method == Method::Fdb;
  return std::min(grouped ? l.group : l.blocksize, l.columns);
}

ScalarKind scalar_kind(DType type) {
  return type == DType::F32 ? ScalarKind::F32 : type == DType::F16 ? ScalarKind::F16 : ScalarKind::Bf16;
}

}  // namespace

class PackedUpload {
 public:
  PackedUpload(Card& card, const PackedView& linear, const char* what, DevicePacked& to)
      : device_(card.device),
        linear_(linear),
        layout_(linear.layout),
        what_(what),
        to_(to),
        view_(to.view_) {}

  void run() {
    shape();
    switch (view_.kind) {
      case PackedKind::Codes:
        codes();
        break;
      case PackedKind::Means:
      case PackedKind::RankOne:
        grouped();
        break;
      case PackedKind::PbLlm:
        pb_llm();
        break;
      case PackedKind::Fdb:
        for (size_t i = 0; i < 2; ++i)
          plane(i == 0 ? "sign" : "plane2", layout_.columns, scalars("scale", 2, i, 1), "");
        break;
      case PackedKind::SignumRc:
        for (const auto& [suffix, k] :
             {std::pair("", layout_.columns), std::pair("2", layout_.second_columns),
              std::pair("3", layout_.third_columns)}) {
          if (k == 0) continue;
          const std::string end = suffix;
          plane("sign" + end, k, scalars("row_scale" + end, 1),
                layout_.column_scales ? "column_scale" + end : "");
        }
        break;
    }
    device_.stream().wait();  // what was uploaded may go
  }

 private:
  void shape() {
    group_ = group_width(layout_);
    group_words_ = parts(group_, kWord);
    view_.kind = kind_of(layout_.method);
    view_.rows = uint32_t(layout_.rows), view_.columns = uint32_t(layout_.columns);
    view_.tiles = parts(layout_.rows, kTile);
    view_.padded_rows = size_t(view_.tiles) * kTile;
    view_.group_words = uint32_t(group_words_);
    view_.groups = parts(layout_.columns, group_);
    view_.words = words_of(layout_.columns);
    std::vector<uint32_t> inputs(size_t(view_.words) * kWord, kNoColumn);
    for (size_t j = 0; j < layout_.columns; ++j)
      inputs[position(j)] = linear_.order ? (*linear_.order)[j] : uint32_t(j);
    view_.inputs = keep(inputs);
  }

  void codes() {
    view_.bits = uint32_t(layout_.bits);
    view_.codes = bits("code", layout_.columns, layout_.bits);
    view_.scale = scalars("code_scale", 1);
    if (!layout_.symmetric) view_.zeros = zeros("code_zero", view_.groups);
    view_.looked_up = layout_.bits <= 2 && std::ranges::all_of(linear_.bytes("code_zero"), [&](uint8_t zero) {
                        return zero >> layout_.bits == 0;
                      });
  }

  void grouped() {
    view_.splits = uint32_t(layout_.splits);
    view_.bitmap = layout_.column_group_bitmap;
    view_.sign = bits("sign", layout_.columns);
    view_.plane2 = bits("plane2", layout_.columns);
    if (layout_.splits > 1) view_.group2 = bits("group2", layout_.columns);
    if (view_.bitmap && layout_.salient_columns > 0) {
      const uint32_t words = parts(layout_.salient_columns, kWord);
      view_.plane3 = lay("plane3", {.columns = uint32_t(layout_.salient_columns),
                                    .group = uint32_t(layout_.salient_columns),
                                    .group_words = words,
                                    .words = words});
    }
    const size_t orders = 2 * layout_.salient_groups(), slots = orders + layout_.groups();
    if (view_.kind == PackedKind::Means) {
      view_.scale = scalars("scale", slots);
      view_.mean = scalars("mean", layout_.salient_groups() + layout_.groups());
    } else {
      view_.scale = scalars("row_scale", slots);
      view_.column_scale =
          columns("column_scale", std::max(orders, layout_.groups()), layout_.columns, view_.words);
    }
    std::vector<uint32_t> flags(view_.words), before(view_.words);
    const auto stored = linear_.bytes("salient");
    for (size_t j = 0; j < layout_.columns; ++j)
      if (stored[j >> 3] >> (j & 7) & 1) flags[position(j) / kWord] |= 1u << (position(j) % kWord);
    for (size_t w = 1; w < before.size(); ++w)
      before[w] = before[w - 1] + uint32_t(std::popcount(flags[w - 1]));
    view_.salient = keep(flags);
    view_.salient_before = keep(before);
  }

  void pb_llm() {
    view_.sign = bits("sign", layout_.columns);
    view_.scale = scalars("scale", 1);
    view_.mean = scalars("mean", 1);
    view_.step = scalars("code_scale", 1);
    view_.zeros = zeros("code_zero", 1);
    view_.salient_bits = uint32_t(layout_.salient_bits);
    view_.salient_codes = keep(linear_.bytes("code"));
    const std::vector<size_t> counted = mask_starts(layout_, linear_.bytes("salient_count").data());
    const std::vector<uint64_t> starts(counted.begin(), counted.end());
    const Array<uint8_t> starts_on_card =
        staged({reinterpret_cast<const uint8_t*>(starts.data()), starts.size() * sizeof(uint64_t)});
    const auto* start = reinterpret_cast<const uint64_t*>(starts_on_card.data());
    if (layout_.mask_low_bits == 0) {
      view_.plane2 = bits("mask", layout_.columns);
    } else {
      const PlaneShape shape = plane_shape(layout_.columns, 1);
      const Array<uint8_t> high = staged(linear_.bytes("mask_high")), low = staged(linear_.bytes("mask_low"));
      auto* out = static_cast<uint32_t*>(room(view_.padded_rows * shape.words * sizeof(uint32_t)));
      device_.fill(out, 0, view_.padded_rows * shape.words * sizeof(uint32_t));
      const size_t none = parts(layout_.columns, size_t(1) << layout_.mask_low_bits);
      lay_mask(device_, high.data(), low.data(), unsigned(layout_.mask_low_bits), none, start,
               with_rows(shape), out);
      view_.plane2 = {out, shape.words};
      device_.stream().wait();
    }
    const size_t counts = parts(view_.words, kRankWords);
    auto* rank = static_cast<uint32_t*>(room(counts * view_.padded_rows * sizeof(uint32_t)));
    count_ranks(device_, view_.plane2, start, layout_.rows, view_.padded_rows, rank);
    view_.rank = rank;
    device_.stream().wait();
  }

  // A plane of the first k stored columns with its scales.
  void plane(const std::string& role, size_t k, ScalarsOnCard scale, const std::string& column_role) {
    PlaneOnCard& plane = view_.planes[view_.plane_count++];
    plane.bits = bits(role, k);
    plane.scale = scale;
    plane.end = uint32_t(position(k - 1) + 1);
    if (!column_role.empty()) plane.column_scale = columns(column_role, 1, k, plane.bits.words);
  }

  size_t position(size_t column) const { return column / group_ * group_words_ * kWord + column % group_; }
  uint32_t words_of(size_t columns) const { return uint32_t(position(columns - 1) / kWord + 1); }
  PlaneShape plane_shape(size_t columns, int bits) const {
    return {.columns = uint32_t(columns),
            .bits = uint32_t(bits),
            .group = uint32_t(group_),
            .group_words = uint32_t(group_words_),
            .words = words_of(columns)};
  }
  PlaneShape with_rows(PlaneShape shape) const {
    shape.rows = layout_.rows;
    return shape;
  }

  BitsOnCard bits(const std::string& role, size_t columns, int bits = 1) {
    return lay(role, plane_shape(columns, bits));
  }
  BitsOnCard lay(const std::string& role, PlaneShape shape) {
    const auto stored = linear_.bytes(role);
    shape = with_rows(shape);
    shape.row_bytes = stored.size() / layout_.rows;
    const Array<uint8_t> raw = staged(stored);
    const size_t words = size_t(shape.words) * shape.bits;
    auto* out = static_cast<uint32_t*>(room(view_.padded_rows * words * sizeof(uint32_t)));
    lay_bits(device_, raw.data(), shape, out);
    return {out, uint32_t(words)};
  }

  // Slots [first, first + taken) of a tensor [slots, rows, groups].
  ScalarsOnCard scalars(const std::string& role, size_t slots, size_t first, size_t taken) {
    const auto stored = linear_.bytes(role);
    const size_t width = dtype_bytes(layout_.scale_type), slot = stored.size() / slots;
    const size_t groups = slot / width / layout_.rows;
    const Array<uint8_t> raw = staged(stored.subspan(first * slot, taken * slot));
    void* out = room(taken * groups * view_.padded_rows * width);
    lay_scalars(device_, raw.data(), taken, layout_.rows, groups, width, view_.padded_rows, out);
    return {out, uint32_t(groups), view_.padded_rows, scalar_kind(layout_.scale_type)};
  }
  ScalarsOnCard scalars(const std::string& role, size_t slots) { return scalars(role, slots, 0, slots); }

  const uint8_t* zeros(const std::string& role, size_t groups) {
    const Array<uint8_t> raw = staged(linear_.bytes(role));
    void* out = room(groups * view_.padded_rows);
    lay_scalars(device_, raw.data(), 1, layout_.rows, groups, 1, view_.padded_rows, out);
    return static_cast<const uint8_t*>(out);
  }

  // A tensor [slots, k] -> F32 [slots][32 * words] by place, 0 where there is no column.
  const float* columns(const std::string& role, size_t slots, size_t k, size_t words) {
    const auto stored = linear_.bytes(role);
    std::vector<float> values(slots * k), placed(slots * words * kWord, 0.0f);
    to_f32(layout_.scale_type, stored.data(), values.size(), values.data());
    for (size_t slot = 0; slot < slots; ++slot)
      for (size_t j = 0; j < k; ++j) placed[slot * words * kWord + position(j)] = values[slot * k + j];
    return keep(placed);
  }

  void* room(size_t bytes) {
    to_.bytes_ += bytes;
    return to_.memory_.emplace_back(device_, bytes, what_).data();
  }
  // Host memory that goes at once: the stream is waited for.
  template <class T>
  const T* keep(const std::vector<T>& values) {
    return reinterpret_cast<const T*>(
        keep({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)}));
  }
  const uint8_t* keep(std::span<const uint8_t> bytes) {
    void* out = room(bytes.size());
    device_.upload(out, bytes.data(), bytes.size());
    device_.stream().wait();
    return static_cast<const uint8_t*>(out);
  }
  // As stored, until it is laid out.
  Array<uint8_t> staged(std::span<const uint8_t> bytes) {
    Array<uint8_t> raw(device_, bytes.size(), what_);
    device_.upload(raw.data(), bytes.data(), bytes.size());
    return raw;
  }

  Device& device_;
  const PackedView& linear_;
  const Layout& layout_;
  const char* what_;
  DevicePacked& to_;
  PackedOnCard& view_;
  size_t group_ = 0, group_words_ = 0;
};

DevicePacked DevicePacked::upload(Card& card, const PackedView& linear, const char* what) {
  DevicePacked packed;
  packed.layout_ = linear.layout;
  PackedUpload(card, linear, what, packed).run();
  return packed;
}

}  // namespace signum::cuda
