// Where a command stands: seconds by phase, progress reports, and how long the rest will take.
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "run/observer.h"

namespace signum {

class Progress {
 public:
  explicit Progress(Observer& observer) : observer_(observer) {}

  // From here on time counts for this phase; done() reports `total` units of it.
  void begin(Phase phase, uint64_t total, const char* unit);
  void done(uint64_t count);
  void end();  // time counts for no phase

  // A decoder layer begins; `left` layers are to do, this one included. Its end tells the pace of the others.
  void layer_begins(size_t left);
  void layer_ends();

  // Error `cancelled` when that was asked for.
  Status check() const;
  double seconds(Phase phase) const { return seconds_[size_t(phase)]; }

 private:
  using Clock = std::chrono::steady_clock;
  static double since(Clock::time_point begin);
  std::optional<double> eta(uint64_t count) const;

  Observer& observer_;
  std::array<double, std::size(kPhaseNames)> seconds_ = {};
  std::optional<Phase> phase_;
  uint64_t total_ = 0;
  const char* unit_ = "";
  Clock::time_point phase_began_;
  Clock::time_point layer_began_;
  size_t layers_left_ = 0;
  size_t layers_timed_ = 0;
  double layers_seconds_ = 0;
};

}  // namespace signum
