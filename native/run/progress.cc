#include "run/progress.h"

#include <algorithm>

namespace signum {

double Progress::since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void Progress::begin(Phase phase, uint64_t total, const char* unit) {
  end();
  phase_ = phase;
  total_ = total;
  unit_ = unit;
  phase_began_ = Clock::now();
}

void Progress::end() {
  if (phase_) seconds_[size_t(*phase_)] += since(phase_began_);
  phase_.reset();
}

void Progress::done(uint64_t count) {
  if (phase_) observer_.progress({*phase_, count, total_, unit_, eta(count)});
}

// Layers cost much the same. Before the first is done nothing is known; an evaluation is one phase of equal
// steps.
std::optional<double> Progress::eta(uint64_t count) const {
  if (phase_ == Phase::Evaluate && count > 0)
    return since(phase_began_) * double(total_ - std::min(count, total_)) / double(count);
  if (layers_timed_ == 0) return std::nullopt;
  const double one = layers_seconds_ / double(layers_timed_);
  const double now = layers_left_ > 0 ? std::max(0.0, one - since(layer_began_)) : 0;
  return now + one * double(layers_left_ > 0 ? layers_left_ - 1 : 0);
}

void Progress::layer_begins(size_t left) {
  layers_left_ = left;
  layer_began_ = Clock::now();
}

void Progress::layer_ends() {
  layers_seconds_ += since(layer_began_);
  ++layers_timed_;
  layers_left_ = layers_left_ > 0 ? layers_left_ - 1 : 0;
  layer_began_ = Clock::now();
}

Status Progress::check() const {
  if (!observer_.cancelled()) return {};
  return Error{"cancelled", "The run was cancelled.", ""};
}

}  // namespace signum
