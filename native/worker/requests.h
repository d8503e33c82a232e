// The lines of a session of generation, in the order in which they came (docs/PROTOCOL.md).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "generate/session.h"
#include "worker/control.h"

namespace signum {

// One `generate` line, or what is wrong with a line.
struct RequestLine {
  std::optional<uint64_t> id;
  Result<GenerationRequest> request;
  std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();
  uint64_t number = 0;  // of the requests, as they came
};
// Error job_invalid: the line is not JSON of this form. Ranges are the session's affair.
RequestLine read_request(const std::string& line);

// Filled by the thread that reads stdin, emptied by the session's.
class RequestQueue : public LineListener {
 public:
  void take(const std::string& line) override;
  void stop() override;

  // Waits for the next line; nothing when the session was stopped and all before the stop have been given.
  std::optional<RequestLine> next();
  // Whether a halt, or the stop, has come after this request.
  bool halted(const RequestLine& line) const { return line.number < halted_before_; }

 private:
  void halt_all();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<RequestLine> lines_;
  uint64_t received_ = 0;
  bool stopped_ = false;
  std::atomic<uint64_t> halted_before_{0};
};

}  // namespace signum
