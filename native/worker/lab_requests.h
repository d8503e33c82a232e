// The lines of a session of the layer lab, in the order in which they came (docs/PROTOCOL.md).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "base/error.h"
#include "worker/control.h"

namespace signum {

struct PutLinear {
  std::string linear;
};
struct TryRecipe {
  std::string recipe;  // JSON text
  std::string output;  // folder
};
using LabRequest = std::variant<PutLinear, TryRecipe>;

// One line, or what is wrong with it.
struct LabLine {
  std::optional<uint64_t> id;
  Result<LabRequest> request;
  std::chrono::steady_clock::time_point arrived = std::chrono::steady_clock::now();
};
// Error job_invalid: the line is not JSON of this form.
LabLine read_lab_line(const std::string& line);

// Filled by the thread that reads stdin, emptied by the session's.
class LabQueue : public LineListener {
 public:
  void take(const std::string& line) override;
  void stop() override;

  // Waits for the next line; nothing when the session was stopped and all before the stop have been given.
  std::optional<LabLine> next();
  // Whether the line that next() gave last was halted, or the session stopped.
  bool halted() const { return halted_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<LabLine> lines_;
  std::set<uint64_t> halts_;  // of lines that wait
  std::optional<uint64_t> current_;
  bool stopped_ = false;
  std::atomic<bool> halted_{false};
};

}  // namespace signum
