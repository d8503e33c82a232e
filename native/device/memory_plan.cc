#include "device/memory_plan.h"

#include <algorithm>
#include <cstdio>
#include <map>

namespace signum {
namespace {

constexpr uint64_t kFloat = 4;
// Matrices of a linear's shape while it is quantized: the weight, what it is fitted to, what is left of it
// and the errors in a block loop, what the packed form decodes to, and the method's own.
constexpr uint64_t kCopies = 6;

// The search for salient columns and splits: its counts, and by weight of a block what it and the fit keep.
constexpr uint64_t kSearchCounts = uint64_t(5) << 19;
constexpr uint64_t kSearchBytes = 40;

constexpr uint64_t kSpare = 8;  // part of the card that activations leave free: others use it, too

struct Phase {
  const char* name;
  std::vector<MemoryPart> parts;

  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const MemoryPart& part : parts) sum += part.bytes;
    return sum;
  }
};

// The four moments of a decoder layer that can be the largest.
class Moments {
 public:
  explicit Moments(const MemoryQuestion& question) : q_(question) {
    std::map<size_t, uint64_t> widths;
    for (const PlannedLinear& linear : q_.linears) {
      const uint64_t weights = uint64_t(linear.rows) * linear.columns;
      stored_ += weights * linear.stored_bytes;
      decoded_ += weights * kFloat;
      largest_ = std::max(largest_, weights * kFloat);
      widest_ = std::max<uint64_t>(widest_, linear.columns);
      tallest_ = std::max<uint64_t>(tallest_, linear.rows);
      widths[linear.input] = linear.columns;
    }
    for (const auto& [input, width] : widths) hessians_ += width * width * kFloat;
    square_ = widest_ * widest_ * kFloat;
    tokens_ = uint64_t(std::min(q_.batch, q_.sequences)) * q_.length;
  }

  Phase calibrate() const {
    Phase phase{"calibrate", weights()};
    phase.parts.push_back({"hessians", q_.paired ? paired() : hessians_});
    phase.parts.push_back({"forward buffers", forward()});
    if (q_.paired)
      phase.parts.push_back({"both models' inputs", 2 * tokens_ * (q_.hidden + widest_) * kFloat});
    return phase;
  }
  // In F64 where F32 does not hold.
  Phase factor() const {
    Phase phase{"factor", weights()};
    phase.parts.push_back({"hessians", q_.paired ? paired() : hessians_});
    phase.parts.push_back({"factors", factors()});
    phase.parts.push_back({"factoring", 3 * square_});
    return phase;
  }
  Phase quantize() const {
    Phase phase{"quantize", weights()};
    if (q_.sequences > 0) phase.parts.push_back({"hessians", q_.paired ? paired() : hessians_});
    phase.parts.push_back({"factors", factors()});
    phase.parts.push_back({"block loop", kCopies * largest_ + (q_.paired ? 2 * largest_ : 0)});
    if (q_.search_block > 0)
      phase.parts.push_back({"block search", kSearchCounts + tallest_ * q_.search_block * kSearchBytes});
    return phase;
  }
  Phase propagate() const {
    Phase phase{"propagate", weights()};
    phase.parts.push_back({"forward buffers", forward()});
    return phase;
  }
  // All sequences' residual streams.
  uint64_t activations() const { return streams() * q_.sequences * q_.length * q_.hidden * kFloat; }
  // What streams them in and out where they lie elsewhere: two batches each way.
  uint64_t streaming() const { return 4 * tokens_ * q_.hidden * kFloat; }

 private:
  uint64_t streams() const { return q_.paired ? 2 : 1; }
  // Quantized linears are F32, those still to come as they are stored.
  std::vector<MemoryPart> weights() const {
    if (q_.sequences == 0) return {};
    return {{"layer weights", std::max(stored_, decoded_) + (q_.paired ? stored_ : 0)}};
  }
  // One input's three sums.
  uint64_t paired() const { return 2 * square_ + q_.hidden * widest_ * kFloat; }
  uint64_t factors() const {
    return q_.factors * (square_ + widest_ * (q_.kept_block * kFloat + 4 * kFloat));
  }
  uint64_t forward() const { return tokens_ * q_.forward_floats * kFloat; }

  const MemoryQuestion& q_;
  uint64_t stored_ = 0, decoded_ = 0, largest_ = 0, widest_ = 0, hessians_ = 0, square_ = 0, tokens_ = 0;
  uint64_t tallest_ = 0;
};

std::string gigabytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", double(bytes) / 1e9);
  return text;
}

std::string advice_of(const MemoryQuestion& question, const MemoryPlan& plan) {
  std::string text = "The run needs " + gigabytes(plan.needed_bytes) + " on the card and " +
                     gigabytes(question.card_bytes) + " may be used: ";
  if (question.sequences > 0 && (plan.phase == "calibrate" || plan.phase == "propagate"))
    return text + "take shorter calibration sequences, a larger card, or the CPU.";
  if (question.paired) return text + "take correction 0, a larger card, or the CPU.";
  if (question.factors > 1)
    return text +
           "let linears of one input share one damping and block size, or take a larger card or the CPU.";
  return text + "take a larger card, or the CPU.";
}

}  // namespace

MemoryPlan plan_memory(const MemoryQuestion& question) {
  const Moments moments(question);
  std::vector<Phase> phases = {moments.quantize()};
  if (question.factors > 0) phases.push_back(moments.factor());
  if (question.sequences > 0) {
    phases.push_back(moments.calibrate());
    phases.push_back(moments.propagate());
  }
  Phase& largest = *std::ranges::max_element(phases, {}, &Phase::bytes);
  if (question.reserved_bytes > 0) largest.parts.push_back({"driver and libraries", question.reserved_bytes});

  MemoryPlan plan;
  if (question.sequences > 0) {
    const uint64_t all = moments.activations();
    if (largest.bytes() + all <= question.card_bytes - question.card_bytes / kSpare) {
      largest.parts.push_back({"activations", all});
    } else {
      plan.activations = all <= question.pinned_bytes ? ActivationPlace::Pinned : ActivationPlace::Disk;
      largest.parts.push_back({"activations on their way", moments.streaming()});
    }
  }
  std::erase_if(largest.parts, [](const MemoryPart& part) { return part.bytes == 0; });
  plan.phase = largest.name;
  plan.needed_bytes = largest.bytes();
  plan.parts = std::move(largest.parts);
  plan.fits = plan.needed_bytes <= question.card_bytes;
  if (!plan.fits) plan.advice = advice_of(question, plan);
  return plan;
}

}  // namespace signum
