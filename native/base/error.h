// Errors are values: a stable code, one sentence for a person, detail for the log.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace signum {

struct Error {
  std::string code;     // stable, snake_case; the list stands in docs/PROTOCOL.md
  std::string message;  // one sentence for a person
  std::string detail;   // for the log; may be empty
};

// Either a value or an Error. Check ok() before value().
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::move(value)) {}
  Result(Error error) : held_(std::move(error)) {}
  bool ok() const { return held_.index() == 0; }
  T& value() & { return std::get<0>(held_); }
  const T& value() const& { return std::get<0>(held_); }
  T&& value() && { return std::get<0>(std::move(held_)); }
  const Error& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, Error> held_;
};

// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  bool ok() const { return !error_; }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace signum

// SIGNUM_TRY(status): return the error to the caller. SIGNUM_TAKE(auto x, result): bind the value or return
// the error.
#define SIGNUM_CONCAT_(a, b) a##b
#define SIGNUM_CONCAT(a, b) SIGNUM_CONCAT_(a, b)
#define SIGNUM_TRY(expression)                                              \
  do {                                                                      \
    if (auto status_ = (expression); !status_.ok()) return status_.error(); \
  } while (false)
#define SIGNUM_TAKE_(temporary, binding, expression) \
  auto temporary = (expression);                     \
  if (!temporary.ok()) return temporary.error();     \
  binding = std::move(temporary).value()
#define SIGNUM_TAKE(binding, expression) SIGNUM_TAKE_(SIGNUM_CONCAT(taken_, __LINE__), binding, expression)
