#include <nlohmann/json.hpp>

#include "methods/salient_mask.h"

namespace signum {
namespace {

using nlohmann::json;

const char* scale_type_word(DType type) {
  return type == DType::F16 ? "f16" : type == DType::BF16 ? "bf16" : "f32";
}

// Reads one layout, remembering the first field that is not what it must be.
class Reader {
 public:
  Reader(std::string name, const json& object) : name_(std::move(name)), object_(object) {}

  size_t count(const char* key, size_t least, size_t most) {
    const auto it = object_.find(key);
    if (it == object_.end() || !it->is_number_unsigned()) return fail(key), least;
    const uint64_t value = it->get<uint64_t>();
    if (value < least || value > most) return fail(key), least;
    return size_t(value);
  }
  bool flag(const char* key) {
    const auto it = object_.find(key);
    if (it == object_.end() || !it->is_boolean()) return fail(key), false;
    return it->get<bool>();
  }
  std::string text(const char* key) {
    const auto it = object_.find(key);
    if (it == object_.end() || !it->is_string()) return fail(key), std::string();
    return it->get<std::string>();
  }
  bool has(const char* key) const { return object_.contains(key); }
  void fail(const char* key) {
    if (!error_)
      error_ = Error{"packed_broken",
                     "The layout of " + name_ + " has a missing or impossible field '" + key + "'.", ""};
  }
  std::optional<Error> error() const { return error_; }

 private:
  std::string name_;
  const json& object_;
  std::optional<Error> error_;
};

constexpr size_t kMost = size_t(1) << 31;

}  // namespace

std::string layout_to_json(const Layout& l) {
  json object = {{"method", method_id(l.method)},
                 {"rows", l.rows},
                 {"columns", l.columns},
                 {"scale_type", scale_type_word(l.scale_type)}};
  switch (l.method) {
    case Method::Rtn:
    case Method::Gptq:
      object["bits"] = l.bits;
      object["group"] = l.group;
      if (l.symmetric) object["symmetric"] = true;
      break;
    case Method::Fdb:
      object["group"] = l.group;
      break;
    case Method::PbLlm:
      object["group"] = l.group;
      object["salient_bits"] = l.salient_bits;
      object["salient_weights"] = l.salient_weights;
      object["mask_low_bits"] = l.mask_low_bits;
      break;
    case Method::Arb:
    case Method::ArbX:
    case Method::ArbRc:
      object["column_group_bitmap"] = l.column_group_bitmap;
      if (l.splits > 1) object["splits"] = l.splits;
      [[fallthrough]];
    case Method::BiLLM:
      object["blocksize"] = l.blocksize;
      object["salient_columns"] = l.salient_columns;
      break;
    case Method::SignumRc:
      object["blocksize"] = l.blocksize;
      object["second_columns"] = l.second_columns;
      if (l.third_columns > 0) object["third_columns"] = l.third_columns;
      object["column_scales"] = l.column_scales;
      break;
  }
  if (l.has_order) object["order"] = l.order_tensor;
  return object.dump();
}

Result<Layout> layout_from_json(const std::string& name, const std::string& text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object())
    return Error{"packed_broken", "The layout of " + name + " is not a JSON object.", ""};
  Reader read(name, object);
  Layout l;
  const auto method = method_from_id(read.text("method"));
  if (!method.ok()) return Error{"packed_broken", "The layout of " + name + " names an unknown method.", ""};
  l.method = method.value();
  l.rows = read.count("rows", 1, kMost);
  l.columns = read.count("columns", 1, kMost);
  const std::string scale = read.text("scale_type");
  if (scale == "f16")
    l.scale_type = DType::F16;
  else if (scale == "bf16")
    l.scale_type = DType::BF16;
  else if (scale == "f32")
    l.scale_type = DType::F32;
  else
    read.fail("scale_type");
  switch (l.method) {
    case Method::Rtn:
    case Method::Gptq:
      l.bits = int(read.count("bits", 1, 8));
      l.group = read.count("group", 1, l.columns);
      l.symmetric = read.has("symmetric") && read.flag("symmetric");
      break;
    case Method::PbLlm:
      l.group = read.count("group", 1, l.columns);
      l.salient_bits = int(read.count("salient_bits", 2, 8));
      l.salient_weights = read.count("salient_weights", 1, l.rows * l.columns);
      l.mask_low_bits = read.count("mask_low_bits", 0, kMostLowBits);
      break;
    case Method::Fdb:
      l.group = read.count("group", 1, l.columns);
      break;
    case Method::Arb:
    case Method::ArbX:
    case Method::ArbRc:
      l.column_group_bitmap = read.flag("column_group_bitmap");
      if (read.has("splits")) l.splits = read.count("splits", 2, 3);
      [[fallthrough]];
    case Method::BiLLM:
      l.blocksize = read.count("blocksize", 1, kMost);
      l.salient_columns = read.count("salient_columns", 0, l.columns);
      break;
    case Method::SignumRc:
      l.blocksize = read.count("blocksize", 1, kMost);
      l.second_columns = read.count("second_columns", 0, l.columns);
      if (read.has("third_columns")) l.third_columns = read.count("third_columns", 1, l.second_columns);
      l.column_scales = read.flag("column_scales");
      break;
  }
  if (read.has("order")) {
    if (l.method != Method::Gptq && l.method != Method::SignumRc) read.fail("order");
    l.has_order = true;
    l.order_tensor = read.text("order");
  }
  if (const auto error = read.error()) return *error;
  return l;
}

}  // namespace signum
