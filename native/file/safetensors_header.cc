#include "file/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace signum {
namespace {

using Json = nlohmann::json;

Error broken(const std::string& file, const std::string& what) {
  return {"shard_broken", file + ": " + what + ".", ""};
}

// A name short enough for a message, cut between characters.
std::string shown(const std::string& name) {
  size_t length = std::min<size_t>(name.size(), 200);
  while (length < name.size() && length > 0 && (uint8_t(name[length]) & 0xC0) == 0x80) --length;
  return length == name.size() ? name : name.substr(0, length) + "...";
}

// Offset of the first byte that is not UTF-8 (shortest form, no surrogates, at most U+10FFFF), or npos.
size_t not_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto at = [&](size_t k) { return i + k < text.size() ? uint8_t(text[i + k]) : uint8_t(0); };
    const auto follows = [&](size_t k) { return (at(k) & 0xC0) == 0x80; };
    const uint8_t first = at(0);
    if (first < 0x80) {
      i += 1;
    } else if (first >= 0xC2 && first <= 0xDF && follows(1)) {
      i += 2;
    } else if ((first & 0xF0) == 0xE0 && follows(1) && follows(2) && (first != 0xE0 || at(1) >= 0xA0) &&
               (first != 0xED || at(1) < 0xA0)) {
      i += 3;
    } else if (first >= 0xF0 && first <= 0xF4 && follows(1) && follows(2) && follows(3) &&
               (first != 0xF0 || at(1) >= 0x90) && (first != 0xF4 || at(1) < 0x90)) {
      i += 4;
    } else {
      return i;
    }
  }
  return std::string_view::npos;
}

// Parses; a key given twice in one object goes to `duplicate`.
Json parse(std::string_view text, std::string& duplicate) {
  std::vector<std::set<std::string>> objects;
  const Json::parser_callback_t callback = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) objects.emplace_back();
    if (event == Json::parse_event_t::object_end) objects.pop_back();
    if (event == Json::parse_event_t::key && duplicate.empty()) {
      const auto key = parsed.get<std::string>();
      if (!objects.back().insert(key).second) duplicate = key;
    }
    return true;
  };
  return Json::parse(text.begin(), text.end(), callback);
}

// One tensor's entry, without looking at the others.
Result<HeaderEntry> parse_entry(const std::string& name, const Json& entry, uint64_t data_bytes,
                                const std::string& file) {
  const std::string tensor = "tensor " + shown(name);
  const auto fail = [&](const std::string& what) { return broken(file, tensor + ": " + what); };
  if (!entry.is_object()) return fail("the entry is not an object");
  HeaderEntry out;
  out.name = name;

  const auto dtype = entry.find("dtype");
  if (dtype == entry.end()) return fail("dtype is missing");
  if (!dtype->is_string()) return fail("dtype is not text");
  const auto known = dtype_from_name(dtype->get_ref<const std::string&>());
  if (!known) return fail("dtype " + shown(dtype->get<std::string>()) + " is not known");
  out.dtype = *known;

  const auto shape = entry.find("shape");
  if (shape == entry.end()) return fail("shape is missing");
  if (!shape->is_array()) return fail("shape is not a list");
  uint64_t bytes = dtype_bytes(out.dtype);
  for (const Json& side : *shape) {
    if (!side.is_number_unsigned()) return fail("shape holds something that is not a whole number from 0 up");
    out.shape.push_back(side.get<uint64_t>());
  }
  // An empty tensor is empty whatever the other sides; without the test a zero could hide an overflow before
  // it.
  const bool empty = std::find(out.shape.begin(), out.shape.end(), 0u) != out.shape.end();
  if (empty) bytes = 0;
  for (size_t side : out.shape)
    if (!empty && __builtin_mul_overflow(bytes, side, &bytes))
      return fail("the product of shape does not fit 64 bits");

  const auto offsets = entry.find("data_offsets");
  if (offsets == entry.end()) return fail("data_offsets is missing");
  if (!offsets->is_array() || offsets->size() != 2) return fail("data_offsets is not a list of two");
  for (const Json& offset : *offsets)
    if (!offset.is_number_unsigned())
      return fail("data_offsets holds something that is not a whole number from 0 up");
  out.begin = (*offsets)[0].get<uint64_t>();
  out.end = (*offsets)[1].get<uint64_t>();
  if (out.begin > out.end)
    return fail("data_offsets begin " + std::to_string(out.begin) + " after their end " +
                std::to_string(out.end));
  if (out.end > data_bytes)
    return fail("data_offsets end at " + std::to_string(out.end) + ", the data has " +
                std::to_string(data_bytes) + " bytes");
  if (out.end - out.begin != bytes)
    return fail("data_offsets hold " + std::to_string(out.end - out.begin) + " bytes, dtype and shape need " +
                std::to_string(bytes));
  return out;
}

// Every byte of the data belongs to exactly one tensor.
Status check_coverage(const std::vector<HeaderEntry>& tensors, uint64_t data_bytes, const std::string& file) {
  uint64_t reached = 0;
  const HeaderEntry* previous = nullptr;
  for (const HeaderEntry& tensor : tensors) {
    if (tensor.begin < reached)
      return broken(file, "tensors " + shown(previous->name) + " and " + shown(tensor.name) + " overlap");
    if (tensor.begin > reached)
      return broken(file, "bytes " + std::to_string(reached) + " to " + std::to_string(tensor.begin) +
                              " before tensor " + shown(tensor.name) + " belong to no tensor");
    reached = tensor.end;
    previous = &tensor;
  }
  if (reached != data_bytes)
    return broken(file,
                  std::to_string(data_bytes - reached) + " bytes after the last tensor belong to no tensor");
  return {};
}

}  // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::string_view text, uint64_t data_bytes,
                                                   const std::string& file) {
  if (const size_t at = not_utf8(text); at != std::string_view::npos)
    return broken(file, "the header is not UTF-8 at byte " + std::to_string(at));
  std::string duplicate;
  Json json;
  try {
    json = parse(text, duplicate);
  } catch (const Json::exception& reason) {
    Error error = broken(file, "the header is not JSON");
    error.detail = reason.what();
    return error;
  }
  if (!json.is_object()) return broken(file, "the header is not an object");
  if (!duplicate.empty()) return broken(file, "the key " + shown(duplicate) + " stands twice in the header");

  SafetensorsHeader header;
  for (const auto& [name, entry] : json.items()) {
    if (name != "__metadata__") {
      SIGNUM_TAKE(auto tensor, parse_entry(name, entry, data_bytes, file));
      header.tensors.push_back(std::move(tensor));
      continue;
    }
    if (!entry.is_object()) return broken(file, "__metadata__ is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) return broken(file, "__metadata__ " + shown(key) + " is not text");
      header.metadata[key] = value.get<std::string>();
    }
  }
  std::sort(header.tensors.begin(), header.tensors.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  SIGNUM_TRY(check_coverage(header.tensors, data_bytes, file));
  return header;
}

}  // namespace signum
