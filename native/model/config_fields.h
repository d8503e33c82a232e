// Typed fields of one JSON object of config.json.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.h"

namespace signum {

// A value as a person may read it in a message: short.
std::string shown(const nlohmann::json& value);
// config_invalid
Error config_invalid(const std::string& message);
// architecture_unsupported: "This model uses KEY GIVEN, which is not supported yet; supported: ..."
Error unsupported_option(const std::string& key, const std::string& given, const std::string& supported);

// Reads the fields of one object; the first wrong one is kept as the error. Where a field is absent or null
// the value `otherwise` counts.
class Fields {
 public:
  explicit Fields(const nlohmann::json& object) : object_(object) {}

  // Null when absent or null: the same, as in transformers, but for a few keys.
  const nlohmann::json* find(const char* key) const;
  // There, and null.
  bool is_null(const char* key) const;

  size_t whole(const char* key, size_t low, size_t high, std::optional<size_t> otherwise = std::nullopt);
  double positive(const char* key, std::optional<double> otherwise = std::nullopt);
  bool flag(const char* key, bool otherwise);
  std::string text(const char* key, const std::string& otherwise);

  void refuse(const Error& error) {
    if (!error_) error_ = error;
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  size_t missing(const char* key);
  size_t wrong(const char* key, const std::string& wanted, const nlohmann::json& value);

  const nlohmann::json& object_;
  std::optional<Error> error_;
};

}  // namespace signum
