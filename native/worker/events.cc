#include "worker/events.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

namespace signum {
namespace {

using Json = nlohmann::ordered_json;

// Path of the first number that is not finite ("result.window_losses.3"), or nothing.
std::string not_finite(const Json& value) {
  if (value.is_number_float()) return std::isfinite(value.get<double>()) ? "" : ".";
  if (!value.is_structured()) return "";
  for (const auto& [key, inner] : value.items())
    if (std::string path = not_finite(inner); !path.empty())
      return path == "." ? key + "." : key + "." + path;
  return "";
}

std::string event_line(uint64_t seq, double elapsed, const char* event, const Json& fields) {
  char head[128];
  std::snprintf(head, sizeof head, "{\"seq\":%llu,\"elapsed\":%.6f,\"event\":\"%s\"", (unsigned long long)seq,
                elapsed, event);
  std::string line = head;
  // Numbers that are not finite become null; bytes of paths that are not UTF-8 become U+FFFD.
  const std::string object = fields.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!fields.empty()) line += ',';
  line.append(object, 1);
  line += '\n';
  return line;
}

}  // namespace

void EventWriter::write_line(const char* text, size_t length) {
  while (length > 0 && !broken_) {
    const ssize_t written = ::write(fd_, text, length);
    if (written >= 0) {
      text += written;
      length -= size_t(written);
    } else if (errno == EAGAIN) {
      struct pollfd wait = {fd_, POLLOUT, 0};
      ::poll(&wait, 1, 1000);
    } else if (errno != EINTR) {
      broken_ = true;
    }
  }
}

void EventWriter::write_event(const char* event, const Json& fields) {
  if (std::string path = not_finite(fields); !path.empty()) {
    path.pop_back();
    const Json warning = {{"code", "not_finite"},
                          {"message", std::string(event) + ": " + path + " is not a finite number."}};
    const std::string line = event_line(seq_++, elapsed(), "warning", warning);
    write_line(line.data(), line.size());
  }
  const std::string line = event_line(seq_++, elapsed(), event, fields);
  write_line(line.data(), line.size());
}

void EventWriter::emit(const char* event, const Json& fields) {
  std::lock_guard lock(mutex_);
  if (!ended_) write_event(event, fields);
}

void EventWriter::emit_progress(const Json& fields) {
  std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (ended_ || now - last_progress_ < std::chrono::milliseconds(100)) return;
  last_progress_ = now;
  write_event("progress", fields);
}

bool EventWriter::end(const char* event, const Json& fields) {
  std::lock_guard lock(mutex_);
  if (ended_.exchange(true)) return false;
  write_event(event, fields);
  return true;
}

bool EventWriter::end_in_time(const char* event, const Json& fields, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!lock.try_lock_until(deadline)) return true;  // somebody is stuck in a write
  if (ended_.exchange(true)) return false;
  struct pollfd wait = {fd_, POLLOUT, 0};
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (::poll(&wait, 1, int(std::max<long>(0, left))) == 1) write_event(event, fields);
  return true;
}

// Only what POSIX allows in a handler, and the mutex's try_lock, which does no more than an atomic exchange.
void EventWriter::end_lost_file(const char* path) noexcept {
  bool locked = false;
  for (int i = 0; i < 50 && !(locked = mutex_.try_lock()); ++i) {
    const struct timespec moment = {0, 5'000'000};
    ::nanosleep(&moment, nullptr);
  }
  if (ended_.exchange(true)) return;
  char line[1400];
  size_t length = 0;
  const auto add_text = [&](const char* text) {
    while (*text && length + 64 < sizeof line) line[length++] = *text++;
  };
  const auto add_number = [&](uint64_t number, int digits) {
    char reversed[20];
    int count = 0;
    do reversed[count++] = char('0' + number % 10);
    while ((number /= 10) > 0 || count < digits);
    while (count > 0) line[length++] = reversed[--count];
  };
  const auto microseconds =
      uint64_t(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_).count());
  add_text("{\"seq\":");
  add_number(seq_++, 1);
  add_text(",\"elapsed\":");
  add_number(microseconds / 1'000'000, 1);
  add_text(".");
  add_number(microseconds % 1'000'000, 6);
  add_text(",\"event\":\"failed\",\"code\":\"model_changed\",\"message\":\"");
  for (; *path && length + 128 < sizeof line; ++path) {
    const auto byte = static_cast<unsigned char>(*path);
    if (byte == '"' || byte == '\\') line[length++] = '\\';
    line[length++] = byte < 32 ? '?' : *path;
  }
  add_text(" shrank while it was read.\",\"detail\":\"\"}\n");
  write_line(line, length);
}

}  // namespace signum
