// Views of packed linears, and whole ones decoded.
#include <algorithm>

#include "base/pool.h"
#include "methods/packed_view.h"
#include "methods/salient_mask.h"

namespace signum {
namespace {

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
    const auto flags = linear.bytes("salient");
    for (size_t j = 0; j < l.columns; ++j) salient += flags[j >> 3] >> (j & 7) & 1;
    if (salient != l.salient_columns) return broken("The salient flags do not match the layout's count.");
  }
  if (l.splits == 2) {  // three groups: both bits are never set
    const auto high = linear.bytes("plane2"), low = linear.bytes("group2");
    for (size_t i = 0; i < high.size(); ++i)
      if (high[i] & low[i]) return broken("A weight is in a group that its layout does not have.");
  }
  return l.method == Method::PbLlm ? check_mask(linear, pool) : Status();
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
    std::vector<float> stored(linear.order ? n : 0);
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
