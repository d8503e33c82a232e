#include "methods/packed_linear.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "methods/bit_streams.h"
#include "methods/salient_mask.h"

namespace signum {
namespace {

constexpr std::array<const char*, 9> kIds = {"rtn",   "gptq",   "billm", "pb-llm",   "arb",
                                             "arb-x", "arb-rc", "fdb",   "signum-rc"};

}  // namespace

const char* method_id(Method method) { return kIds[size_t(method)]; }

Result<Method> method_from_id(const std::string& id) {
  for (size_t i = 0; i < kIds.size(); ++i)
    if (id == kIds[i]) return Method(i);
  return Error{"recipe_invalid", "There is no method '" + id + "'.", ""};
}

bool has_salient_columns(Method method) { return method == Method::BiLLM || may_split_salient(method); }
bool may_split_salient(Method method) {
  return method == Method::Arb || method == Method::ArbX || method == Method::ArbRc;
}

const PackedTensor* PackedLinear::find(const std::string& role) const {
  const auto it =
      std::find_if(tensors.begin(), tensors.end(), [&](const PackedTensor& t) { return t.role == role; });
  return it == tensors.end() ? nullptr : &*it;
}

size_t PackedLinear::bytes() const {
  size_t total = 0;
  for (const auto& tensor : tensors) total += tensor.bytes.size();
  return total;
}

double PackedLinear::nominal_bits() const {
  const double columns = double(layout.columns);
  switch (layout.method) {
    case Method::Rtn:
    case Method::Gptq:
      return layout.bits;
    case Method::Fdb:
      return 2;
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
    case Method::ArbRc:
      return 1 + double(layout.salient_columns) / columns;
    case Method::PbLlm: {
      const double share = double(layout.salient_weights) / double(layout.rows) / columns;
      return (1 - share) + share * layout.salient_bits;
    }
    case Method::SignumRc:
      return 1 + double(layout.second_columns + layout.third_columns) / columns;
  }
  return 0;
}

PackedTensor order_tensor(const std::vector<uint32_t>& order) {
  PackedTensor tensor{"order", order.size() < 65536 ? DType::U16 : DType::U32, {order.size()}, {}};
  tensor.bytes.resize(order.size() * dtype_bytes(tensor.dtype));
  for (size_t i = 0; i < order.size(); ++i)
    std::memcpy(tensor.bytes.data() + i * dtype_bytes(tensor.dtype), &order[i], dtype_bytes(tensor.dtype));
  return tensor;
}

Result<std::vector<uint32_t>> order_from_tensor(DType dtype, size_t columns, const uint8_t* bytes,
                                                size_t size) {
  const Error broken{"packed_broken", "The order tensor is not a permutation of the columns.", ""};
  if (dtype != (columns < 65536 ? DType::U16 : DType::U32) || size != columns * dtype_bytes(dtype))
    return broken;
  std::vector<uint32_t> order(columns, 0);
  std::vector<bool> seen(columns);
  for (size_t i = 0; i < columns; ++i) {
    std::memcpy(&order[i], bytes + i * dtype_bytes(dtype), dtype_bytes(dtype));
    if (order[i] >= columns || seen[order[i]]) return broken;
    seen[order[i]] = true;
  }
  return order;
}

std::vector<TensorRule> tensor_rules(const Layout& l) {
  const size_t m = l.rows, n = l.columns, row_bytes = bytes_of_bits(n);
  const DType scalar = l.scale_type;
  switch (l.method) {
    case Method::Rtn:
    case Method::Gptq: {
      const size_t groups = (n + l.group - 1) / l.group;
      std::vector<TensorRule> rules = {{"code", DType::U8, {m, bytes_of_bits(n * size_t(l.bits))}},
                                       {"code_scale", scalar, {m, groups}}};
      if (!l.symmetric) rules.push_back({"code_zero", DType::U8, {m, groups}});
      return rules;
    }
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
    case Method::ArbRc: {
      std::vector<TensorRule> rules = {{"sign", DType::U8, {m, row_bytes}},
                                       {"plane2", DType::U8, {m, row_bytes}},
                                       {"salient", DType::U8, {row_bytes}}};
      const size_t orders = 2 * l.salient_groups(), groups = l.groups();
      if (l.splits > 1) rules.push_back({"group2", DType::U8, {m, row_bytes}});
      if (l.column_group_bitmap)
        rules.push_back({"plane3", DType::U8, {m, bytes_of_bits(l.salient_columns)}});
      if (l.method == Method::ArbRc) {
        rules.push_back({"row_scale", scalar, {orders + groups, m, l.blocks()}});
        rules.push_back({"column_scale", scalar, {std::max(orders, groups), n}});
      } else {
        rules.push_back({"scale", scalar, {orders + groups, m, l.blocks()}});
        rules.push_back({"mean", scalar, {l.salient_groups() + groups, m, l.blocks()}});
      }
      return rules;
    }
    case Method::PbLlm: {
      const size_t groups = (n + l.group - 1) / l.group;
      std::vector<TensorRule> rules = mask_rules(l);
      rules.push_back({"sign", DType::U8, {m, row_bytes}});
      rules.push_back({"code", DType::U8, {bytes_of_bits(l.salient_weights * size_t(l.salient_bits - 1))}});
      rules.push_back({"mean", scalar, {m, groups}});
      rules.push_back({"scale", scalar, {m, groups}});
      rules.push_back({"code_scale", scalar, {m}});
      rules.push_back({"code_zero", DType::U8, {m}});
      return rules;
    }
    case Method::Fdb:
      return {{"sign", DType::U8, {m, row_bytes}},
              {"plane2", DType::U8, {m, row_bytes}},
              {"scale", scalar, {2, m, (n + l.group - 1) / l.group}}};
    case Method::SignumRc: {
      std::vector<TensorRule> rules;
      for (const auto& [suffix, k] :
           {std::pair("", n), std::pair("2", l.second_columns), std::pair("3", l.third_columns)}) {
        if (k == 0) continue;
        const auto role = [&](const char* name) { return name + std::string(suffix); };
        rules.push_back({role("sign"), DType::U8, {m, bytes_of_bits(k)}});
        rules.push_back({role("row_scale"), scalar, {m, (k + l.blocksize - 1) / l.blocksize}});
        if (l.column_scales) rules.push_back({role("column_scale"), scalar, {k}});
      }
      return rules;
    }
  }
  return {};
}

}  // namespace signum
