// What reaches a working worker from outside: signals, and lines on stdin.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "worker/events.h"

namespace signum {

// Takes the lines of a session, and its stop.
class LineListener {
 public:
  virtual ~LineListener() = default;
  virtual void take(const std::string& line) = 0;
  virtual void stop() = 0;
};

// SIGINT: stop; again: cancel. SIGTERM, SIGHUP, the end of stdin: cancel. The line {"command":"stop"}: stop.
class Control {
 public:
  // Once, first thing: from then on signals wait for listen().
  static void catch_signals();

  // patience: what a cancelled command gets to end by itself; then this ends the process, exit code 4.
  // listener: gets all lines but stop, which may then be longer; null: there are no others.
  Control(EventWriter& events, std::chrono::milliseconds patience, bool stop_is_cancel,
          LineListener* listener = nullptr)
      : events_(events), patience_(patience), stop_is_cancel_(stop_is_cancel), listener_(listener) {}

  // Starts the threads. They live as long as the process; so must this object.
  void listen(bool read_stdin);

  bool stop_requested() const { return stop_; }
  bool cancelled() const { return cancel_; }
  void request_stop();
  void request_cancel();
  // One line of stdin; what is not understood is noted on stderr.
  void take_line(const std::string& line);

 private:
  void wait_for_signals();
  void read_stdin();
  void end_when_cancelled();

  EventWriter& events_;
  const std::chrono::milliseconds patience_;
  const bool stop_is_cancel_;
  LineListener* const listener_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> cancel_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace signum
