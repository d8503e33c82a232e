// The residual stream of all sequences between two decoder layers: on the card, in page-locked memory, or in
// a file. From the host it passes in batches, the next one copied while the card works with the one before.
#pragma once

#include <optional>

#include "cuda/card.h"
#include "cuda/matrix.h"
#include "cuda/model/ends.h"
#include "device/memory_plan.h"
#include "model/activations.h"

namespace signum::cuda {

using signum::ActivationPlace;

// What activations may take: on the card, then on the host (ActivationLimit::memory_bytes).
struct ActivationBudget {
  uint64_t device_bytes = 0;
  uint64_t host_bytes = 0;
};
// Where so many sequences go. All of them are in one place.
ActivationPlace activation_place(size_t sequences, size_t length, size_t hidden,
                                 const ActivationBudget& budget);
// What they take on the card there: all of them, or two batches.
uint64_t activation_bytes_on_card(size_t sequences, size_t length, size_t hidden, ActivationPlace place);

// [sequences, length, hidden] F32.
class DeviceActivations {
 public:
  // Not initialized. limit.memory_bytes is not looked at: the place says it. Faults: device_memory_short;
  // those of Activations::create.
  static DeviceActivations create(Card card, size_t sequences, size_t length, size_t hidden,
                                  ActivationPlace place, const ActivationLimit& limit);
  // create(), then the embedding of each sequence. tokens [sequences * length].
  static DeviceActivations embedded(Card card, const Model& model, std::span<const uint32_t> tokens,
                                    size_t length, ActivationPlace place, const ActivationLimit& limit,
                                    ThreadPool& pool);
  DeviceActivations(DeviceActivations&& other) noexcept;
  DeviceActivations& operator=(DeviceActivations&&) = delete;
  ~DeviceActivations();

  size_t sequences() const { return sequences_; }
  size_t length() const { return length_; }
  size_t hidden() const { return hidden_; }
  ActivationPlace place() const { return place_; }

  // out [rows, hidden] on the card = these rows of all [sequences * length, hidden]. Waits where they are on
  // the host.
  void gather(Card card, std::span<const uint32_t> rows, DeviceView<float> out) const;

 private:
  friend class BatchStream;
  DeviceActivations() = default;

  Device* device_ = nullptr;
  size_t sequences_ = 0, length_ = 0, hidden_ = 0;
  ActivationPlace place_ = ActivationPlace::Device;
  DeviceMatrix on_card_;
  std::optional<Activations> on_host_;
  bool pinned_ = false;
};

// Goes through all sequences, sequences_per_batch() at a time:
//   BatchStream batches(activations, BatchStream::Keep);
//   while (batches.next()) ... batches.view() ...
//   batches.finish();
// The host is never more than a batch ahead of the card, so that progress can be told.
class BatchStream {
 public:
  // Keep: what the work leaves in a view is kept. Write: the same, and what was there is not read.
  enum Use { Read, Keep, Write };
  BatchStream(DeviceActivations& activations, Use use);
  ~BatchStream();
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;

  // False behind the last one.
  bool next();
  // After the last next(): all is where it belongs when it returns.
  void finish();

  // The batch at hand, [count() * length, hidden] without gaps; valid for the work put into the device's
  // stream until next().
  DeviceView<float> view() const;
  size_t first() const { return first_; }
  size_t count() const { return count_; }
  // Sequences up to the end of this batch.
  size_t done() const { return first_ + count_; }

 private:
  size_t count_at(size_t first) const;
  DeviceView<float> buffer(size_t first) const;
  void fetch(size_t first);
  void store(size_t first);

  DeviceActivations& activations_;
  Use use_;
  Stream copies_;
  size_t step_, first_ = 0, count_ = 0;
  bool begun_ = false;
  DeviceMatrix buffers_[2];
};

}  // namespace signum::cuda
