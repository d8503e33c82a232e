// What a quantize run needs on a card, worked out from shapes alone: layer by layer, so one decoder layer at
// a time is there, whatever the model's size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace signum {

// Where the residual stream of all calibration sequences lives between layers.
enum class ActivationPlace : uint8_t { Device, Pinned, Disk };
inline constexpr const char* kActivationPlaceNames[] = {"device", "pinned", "disk"};

struct PlannedLinear {
  size_t rows = 0, columns = 0;
  size_t input = 0;         // linears with the same number read the same values
  size_t stored_bytes = 2;  // of one weight in the model's file
};

struct MemoryQuestion {
  std::vector<PlannedLinear> linears;  // of one decoder layer
  size_t hidden = 0;
  size_t forward_floats = 0;  // numbers that a forward pass keeps per token
  size_t factors = 0;         // kept at once for one input; 0: no method needs one
  size_t search_block = 0;    // width of the blocks in which salient columns are searched; 0: no such method
  size_t kept_block = 0;      // width of the diagonal blocks that are kept beside a factor; 0: none
  bool paired = false;        // the original model is followed as well, for a correction
  size_t sequences = 0;       // of the calibration; 0: none
  size_t length = 0;          // tokens of a sequence
  size_t batch = 1;           // sequences that go through a layer at once
  uint64_t pinned_bytes = 0;  // of the host's memory that activations may take
  uint64_t card_bytes = 0;    // that may be used
  // What the driver and libraries take beside what is asked for.
  uint64_t reserved_bytes = uint64_t(512) << 20;
};

struct MemoryPart {
  std::string name;
  uint64_t bytes = 0;
};

struct MemoryPlan {
  uint64_t needed_bytes = 0;      // in the largest moment, with the activations where they lie on the card
  std::vector<MemoryPart> parts;  // of that moment; they add up to needed_bytes
  std::string phase;              // the largest: "calibrate", "factor", "quantize" or "propagate"
  ActivationPlace activations = ActivationPlace::Device;
  bool fits = false;
  std::string advice;  // what to change where it does not fit, one sentence; else empty
};

MemoryPlan plan_memory(const MemoryQuestion& question);

}  // namespace signum
