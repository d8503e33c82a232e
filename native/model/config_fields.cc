#include "model/config_fields.h"

#include <cmath>

namespace signum {

using Json = nlohmann::json;

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

Error config_invalid(const std::string& message) { return {"config_invalid", "config.json: " + message, ""}; }

Error unsupported_option(const std::string& key, const std::string& given, const std::string& supported) {
  return {
      "architecture_unsupported",
      "This model uses " + key + " " + given + ", which is not supported yet; supported: " + supported + ".",
      "config.json: " + key};
}

const Json* Fields::find(const char* key) const {
  const auto found = object_.find(key);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool Fields::is_null(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && found->is_null();
}

size_t Fields::whole(const char* key, size_t low, size_t high, std::optional<size_t> otherwise) {
  const Json* value = find(key);
  if (!value) return otherwise ? *otherwise : missing(key);
  if (value->is_number_integer() && (value->is_number_unsigned() || value->get<int64_t>() >= 0)) {
    const uint64_t number = value->get<uint64_t>();
    if (number >= low && number <= high) return number;
  }
  return wrong(key, "a whole number from " + std::to_string(low) + " to " + std::to_string(high), *value);
}

double Fields::positive(const char* key, std::optional<double> otherwise) {
  const Json* value = find(key);
  if (!value) return otherwise ? *otherwise : double(missing(key));
  if (value->is_number()) {
    const double number = value->get<double>();
    if (std::isfinite(number) && number > 0) return number;
  }
  return double(wrong(key, "a number above 0", *value));
}

bool Fields::flag(const char* key, bool otherwise) {
  const Json* value = find(key);
  if (!value) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  return wrong(key, "true or false", *value) != 0;
}

std::string Fields::text(const char* key, const std::string& otherwise) {
  const Json* value = find(key);
  if (!value) return otherwise;
  if (value->is_string()) return value->get<std::string>();
  wrong(key, "a text", *value);
  return otherwise;
}

size_t Fields::missing(const char* key) {
  refuse(config_invalid(std::string(key) + " is missing."));
  return 1;
}

size_t Fields::wrong(const char* key, const std::string& wanted, const Json& value) {
  refuse(config_invalid(std::string(key) + " must be " + wanted + ", but it is " + shown(value) + "."));
  return 1;
}

}  // namespace signum
