#include "bench/random_packed.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <random>

#include "base/half.h"
#include "base/pool.h"
#include "methods/salient_mask.h"

namespace signum::bench {
namespace {

constexpr size_t kSalientEvery = 12;  // columns; about what the searches find

size_t salient_of_row(size_t columns) { return (columns + 9) / 10; }  // of pb-llm

// As many salient weights in every row, anywhere.
std::vector<PackedTensor> random_mask(const Layout& layout, std::mt19937_64& random) {
  SalientPlaces places{{0}, {}};
  std::vector<uint32_t> columns(layout.columns);
  std::iota(columns.begin(), columns.end(), 0u);
  for (size_t i = 0; i < layout.rows; ++i) {
    std::sample(columns.begin(), columns.end(), std::back_inserter(places.columns),
                salient_of_row(layout.columns), random);
    places.starts.push_back(places.columns.size());
  }
  ThreadPool one(1);
  return store_mask(layout, places, one);
}

void fill_random(std::vector<uint8_t>& bytes, std::mt19937_64& random) {
  for (size_t i = 0; i < bytes.size(); i += 8) {
    const uint64_t word = random();
    std::memcpy(bytes.data() + i, &word, std::min<size_t>(8, bytes.size() - i));
  }
}

void fill_halves(std::vector<uint8_t>& bytes, float value) {
  const uint16_t half = float_to_half(value);
  for (size_t i = 0; i < bytes.size(); i += 2) std::memcpy(bytes.data() + i, &half, 2);
}

// What every scalar of this role is.
float scalar_of(const std::string& role, const Layout& layout, float spread) {
  if (role.starts_with("column_scale")) return 1;
  if (role == "mean") return 0;
  if (role == "code_scale") return 3.5f * spread / float(1 << layout.bits);  // codes are even, weights too
  if (role == "row_scale2") return 0.5f * spread;
  return spread;
}

}  // namespace

std::optional<Layout> layout_named(const std::string& name, size_t rows, size_t columns) {
  Layout layout;
  layout.rows = rows;
  layout.columns = columns;
  const auto rtn = [&](int bits) { layout.method = Method::Rtn, layout.bits = bits, layout.group = 64; };
  const auto grouped = [&](Method method, bool bitmap) {
    layout.method = method;
    layout.column_group_bitmap = bitmap;
    layout.salient_columns = (columns + kSalientEvery - 1) / kSalientEvery;
  };
  const auto signum_rc = [&](double share) {
    layout.method = Method::SignumRc;
    layout.second_columns = size_t(share * double(columns));
  };
  const auto pb_llm = [&] {
    layout.method = Method::PbLlm;
    layout.group = columns;
    layout.salient_bits = 8;
    layout.salient_weights = rows * salient_of_row(columns);
    layout.mask_low_bits = choose_mask_low_bits(rows, columns, layout.salient_weights);
  };
  const std::map<std::string, std::function<void()>> layouts = {
      {"rtn2", [&] { rtn(2); }},
      {"rtn3", [&] { rtn(3); }},
      {"rtn4", [&] { rtn(4); }},
      {"rtn8", [&] { rtn(8); }},
      {"signum-rc 0", [&] { signum_rc(0); }},
      {"signum-rc 0.25", [&] { signum_rc(0.25); }},
      {"signum-rc 1", [&] { signum_rc(1); }},
      {"fdb", [&] { layout.method = Method::Fdb, layout.group = 64; }},
      {"billm", [&] { grouped(Method::BiLLM, false); }},
      {"pb-llm", pb_llm},
      {"arb-x + bitmap", [&] { grouped(Method::ArbX, true); }},
      {"arb-rc", [&] { grouped(Method::ArbRc, false); }},
      {"arb-rc + bitmap", [&] { grouped(Method::ArbRc, true); }}};
  const auto found = layouts.find(name);
  if (found == layouts.end()) return std::nullopt;
  found->second();
  return layout;
}

PackedLinear random_packed(const Layout& layout, float spread, uint64_t seed) {
  std::mt19937_64 random(seed);
  PackedLinear out{layout, {}, nullptr};
  std::vector<PackedTensor> mask;
  if (layout.method == Method::PbLlm) mask = random_mask(layout, random);
  for (const TensorRule& rule : tensor_rules(layout)) {
    const auto stored = std::ranges::find(mask, rule.role, &PackedTensor::role);
    if (stored != mask.end()) {
      out.tensors.push_back(std::move(*stored));
      continue;
    }
    size_t bytes = dtype_bytes(rule.dtype);
    for (const size_t side : rule.shape) bytes *= side;
    PackedTensor tensor{rule.role, rule.dtype, rule.shape, std::vector<uint8_t>(bytes)};
    if (rule.role == "salient")
      for (size_t j = 0; j < layout.columns; j += kSalientEvery)
        tensor.bytes[j / 8] |= uint8_t(1u << (j % 8));
    else if (rule.role == "code_zero")
      std::fill(tensor.bytes.begin(), tensor.bytes.end(),
                layout.bits == 0 ? uint8_t(128) : uint8_t(1u << (layout.bits - 1)));
    else if (rule.dtype == DType::U8)
      fill_random(tensor.bytes, random);
    else
      fill_halves(tensor.bytes, scalar_of(rule.role, layout, spread));
    out.tensors.push_back(std::move(tensor));
  }
  return out;
}

std::shared_ptr<const std::vector<uint32_t>> random_order(size_t columns, uint64_t seed) {
  auto order = std::make_shared<std::vector<uint32_t>>(columns);
  std::iota(order->begin(), order->end(), 0u);
  std::shuffle(order->begin(), order->end(), std::mt19937_64(seed));
  return order;
}

}  // namespace signum::bench
