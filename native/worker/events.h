// The event lines on stdout (docs/PROTOCOL.md): numbered, timed, written whole, one after another.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace signum {

class EventWriter {
 public:
  explicit EventWriter(int fd) : fd_(fd), began_(Clock::now()) {}

  // fields: an object. A number in it that is not finite becomes null, and a warning goes before the event.
  void emit(const char* event, const nlohmann::ordered_json& fields);
  // As emit, but dropped when the last one was less than 0.1 s ago.
  void emit_progress(const nlohmann::ordered_json& fields);
  // The last event: whatever comes after it is dropped. False when there was one already.
  bool end(const char* event, const nlohmann::ordered_json& fields);
  // As end, but gives up when the other side does not read: for threads that must end the process in time.
  bool end_in_time(const char* event, const nlohmann::ordered_json& fields,
                   std::chrono::milliseconds patience);
  // From a signal handler: the last event `failed` with code model_changed.
  void end_lost_file(const char* path) noexcept;
  // The other side is gone.
  bool broken() const { return broken_; }

 private:
  using Clock = std::chrono::steady_clock;
  void write_event(const char* event, const nlohmann::ordered_json& fields);
  void write_line(const char* text, size_t length);
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  const int fd_;
  const Clock::time_point began_;
  std::timed_mutex mutex_;
  std::atomic<uint64_t> seq_{0};
  std::atomic<bool> ended_{false};
  std::atomic<bool> broken_{false};
  Clock::time_point last_progress_;
};

}  // namespace signum
