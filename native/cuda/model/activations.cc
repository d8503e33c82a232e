#include "cuda/model/activations.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "model/decoder_layer.h"

namespace signum::cuda {
namespace {

constexpr uint64_t kFloat = sizeof(float);

}  // namespace

ActivationPlace activation_place(size_t sequences, size_t length, size_t hidden,
                                 const ActivationBudget& budget) {
  const uint64_t bytes = uint64_t(sequences) * length * hidden * kFloat;
  if (bytes <= budget.device_bytes) return ActivationPlace::Device;
  return bytes <= budget.host_bytes ? ActivationPlace::Pinned : ActivationPlace::Disk;
}

uint64_t activation_bytes_on_card(size_t sequences, size_t length, size_t hidden, ActivationPlace place) {
  const uint64_t sequence = uint64_t(length) * hidden * kFloat;
  if (place == ActivationPlace::Device) return sequences * sequence;
  const size_t step = sequences_per_batch(length);
  return std::min(sequences, step) * sequence +
         (sequences > step ? std::min(sequences - step, step) : 0) * sequence;
}

DeviceActivations DeviceActivations::create(Card card, size_t sequences, size_t length, size_t hidden,
                                            ActivationPlace place, const ActivationLimit& limit) {
  DeviceActivations made;
  made.device_ = &card.device;
  made.sequences_ = sequences;
  made.length_ = length;
  made.hidden_ = hidden;
  made.place_ = place;
  if (place == ActivationPlace::Device) {
    made.on_card_ = DeviceMatrix(card.device, sequences * length, hidden, "the activations");
    return made;
  }
  ActivationLimit where = limit;
  where.memory_bytes = place == ActivationPlace::Disk ? 0 : std::numeric_limits<size_t>::max();
  made.on_host_ = taken(Activations::create(sequences, length, hidden, where));
  if (place == ActivationPlace::Pinned) {
    const View all = made.on_host_->batch(0, sequences);
    made.pinned_ = card.device.pin(all.data, sequences * length * hidden * kFloat);
  }
  return made;
}

DeviceActivations DeviceActivations::embedded(Card card, const Model& model, std::span<const uint32_t> tokens,
                                              size_t length, ActivationPlace place,
                                              const ActivationLimit& limit, ThreadPool& pool) {
  const auto embedding = DeviceEmbedding::load(card, model, pool);
  auto made = create(card, tokens.size() / length, length, model.config().hidden, place, limit);
  BatchStream batches(made, BatchStream::Write);
  while (batches.next())
    embedding.embed(card, tokens.subspan(batches.first() * length, batches.count() * length), batches.view(),
                    {.length = length}, pool);
  batches.finish();
  return made;
}

DeviceActivations::DeviceActivations(DeviceActivations&& other) noexcept
    : device_(other.device_),
      sequences_(other.sequences_),
      length_(other.length_),
      hidden_(other.hidden_),
      place_(other.place_),
      on_card_(std::move(other.on_card_)),
      on_host_(std::move(other.on_host_)),
      pinned_(std::exchange(other.pinned_, false)) {
  other.on_host_.reset();
}

DeviceActivations::~DeviceActivations() {
  if (pinned_ && on_host_) device_->unpin(on_host_->batch(0, sequences_).data);
}

void DeviceActivations::gather(Card card, std::span<const uint32_t> rows, DeviceView<float> out) const {
  if (place_ == ActivationPlace::Device) {
    Array<uint32_t> there(card.device, rows.size(), "rows");
    there.upload(rows);
    card.device.stream().wait();
    return gather_rows(card.device, on_card_.view(), there.data(), out);
  }
  const ConstView all = std::as_const(*on_host_).batch(0, sequences_);
  Matrix found = Matrix::uninitialized(rows.size(), hidden_);
  for (size_t i = 0; i < rows.size(); ++i) std::memcpy(found.row(i), all.row(rows[i]), hidden_ * kFloat);
  card.device.upload(out.data, found.data(), found.size() * kFloat);
  card.device.stream().wait();
}

BatchStream::BatchStream(DeviceActivations& activations, Use use)
    : activations_(activations),
      use_(use),
      copies_(*activations.device_),
      step_(sequences_per_batch(activations.length())) {
  if (activations.place() == ActivationPlace::Device) return;
  for (size_t i = 0; i < 2; ++i)
    if (const size_t count = count_at(i * step_))
      buffers_[i] = DeviceMatrix(*activations.device_, count * activations.length(), activations.hidden(),
                                 "the activations of a batch");
  copies_.wait_for(activations.device_->stream());  // the memory is ours from there on
}

BatchStream::~BatchStream() {
  try {
    copies_.wait();  // before the buffers go
  } catch (const Fault&) {
    // Whoever works with the card next is told.
  }
}

size_t BatchStream::count_at(size_t first) const {
  return first < activations_.sequences() ? std::min(step_, activations_.sequences() - first) : 0;
}

DeviceView<float> BatchStream::buffer(size_t first) const {
  const size_t rows = count_at(first) * activations_.length(), hidden = activations_.hidden();
  if (activations_.place() == ActivationPlace::Device)
    return activations_.on_card_.view().block(first * activations_.length(), 0, rows, hidden);
  return {buffers_[first / step_ % 2].data(), rows, hidden, hidden};
}

DeviceView<float> BatchStream::view() const { return buffer(first_); }

void BatchStream::fetch(size_t first) {
  if (!activations_.on_host_ || use_ == Write) return;
  const View from = activations_.on_host_->batch(first, count_at(first));
  activations_.device_->upload(copies_, buffer(first).data, from.data, from.rows * from.columns * kFloat);
}

void BatchStream::store(size_t first) {
  if (!activations_.on_host_ || use_ == Read) return;
  const View to = activations_.on_host_->batch(first, count_at(first));
  activations_.device_->download_later(copies_, to.data, buffer(first).data, to.rows * to.columns * kFloat);
}

// When it is called, the work with the batch at hand has been put into the device's stream, and copies_ has
// been told to wait for the work with the one before. So the one before goes back to the host and the next
// one comes, into the same buffer, while the card works with the one at hand.
bool BatchStream::next() {
  const size_t next = begun_ ? first_ + step_ : 0;
  if (begun_ && first_ >= step_) store(first_ - step_);
  const bool there = next < activations_.sequences();
  if (there) fetch(next);
  copies_.wait();
  Stream& work = activations_.device_->stream();
  copies_.wait_for(work);
  begun_ = true;
  first_ = next;
  count_ = count_at(next);
  return there;
}

void BatchStream::finish() {
  if (activations_.sequences() > 0) store((activations_.sequences() - 1) / step_ * step_);
  copies_.wait();
}

}  // namespace signum::cuda
