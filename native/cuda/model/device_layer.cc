#include "cuda/model/device_layer.h"

#include <algorithm>
#include <cstring>

#include "base/pool.h"
#include "math/finite.h"

namespace signum::cuda {
namespace {

constexpr size_t kBand = size_t(4) << 20;  // bytes copied by one task

void copy_bytes(uint8_t* to, const uint8_t* from, size_t bytes, ThreadPool& pool) {
  pool.parallel_for((bytes + kBand - 1) / kBand, [&](size_t band) {
    std::memcpy(to + band * kBand, from + band * kBand, std::min(kBand, bytes - band * kBand));
  });
}

class LayerProducts : public BlockProducts {
 public:
  LayerProducts(Card card, const ModelConfig& config, const std::vector<DeviceWeight>& weights,
                ProductRoom& room)
      : card_(card), linears_(config.architecture->linears), weights_(weights), room_(room) {}

  void project(LinearInput input, DeviceView<const float> x, float beta, DeviceView<float> out) override {
    for (size_t i = 0, at = 0; i < linears_.size(); ++i) {
      if (linears_[i].input != input) continue;
      weights_[i].multiply(card_, room_, x, beta, out.block(0, at, out.rows, weights_[i].rows()));
      at += weights_[i].rows();
    }
  }

 private:
  Card card_;
  std::span<const LinearRule> linears_;
  const std::vector<DeviceWeight>& weights_;
  ProductRoom& room_;
};

}  // namespace

DeviceLayer DeviceLayer::load(Card card, const Model& model, size_t layer, ThreadPool& pool) {
  return LayerReader(card, model).load(layer, pool);
}

uint64_t DeviceLayer::weight_bytes() const {
  uint64_t bytes = 0;
  for (const DeviceWeight& weight : weights_) bytes += weight.bytes();
  return bytes;
}

DeviceMatrix DeviceLayer::weight(Card card, size_t index) const {
  return weights_[index].widened(card, "the weights of a linear");
}
void DeviceLayer::replace(size_t index, DeviceMatrix weight) { weights_[index] = std::move(weight); }
DeviceMatrix DeviceLayer::take(Card card, size_t index) {
  DeviceMatrix taken = weight(card, index);
  weights_[index] = DeviceWeight();
  return taken;
}

void DeviceLayer::forward(Card card, DeviceView<const float> input, size_t length, DeviceView<float> output,
                          BlockBuffers& buffers, const DeviceSink& sink, LinearInput last) const {
  LayerProducts products(card, config(), weights_, buffers.products());
  block_.forward(card.device, products, input, length, output, buffers, sink, last);
}

void DeviceLayer::extend(Card card, DeviceView<float> x, const LayerCache& cache,
                         BlockBuffers& buffers) const {
  LayerProducts products(card, config(), weights_, buffers.products());
  block_.extend(card.device, products, x, cache, buffers);
}

LayerReader::~LayerReader() { join(); }

void LayerReader::join() {
  if (thread_.joinable()) thread_.join();
  ahead_ = {};
}

void LayerReader::read_ahead(size_t layer) {
  if (layer >= model_.config().layers || ahead_ == layer) return;
  join();
  prepare(layer);
  status_ = {};
  ahead_ = layer;
  thread_ = std::thread([this] {
    // The threads of the run's pool are not ours.
    ThreadPool pool(std::max(1u, std::thread::hardware_concurrency() / 4));
    status_ = read(pool);
  });
}

// Makes the list of parts, and room for them; packed linears have none.
void LayerReader::prepare(size_t layer) {
  parts_.clear();
  size_t bytes = 0;
  for (const LinearInfo& linear : model_.linears_of(layer)) {
    const TensorView* stored = model_.find(linear.name + ".weight");
    parts_.push_back({stored, bytes});
    if (stored) bytes += (stored->bytes.size() + 255) / 256 * 256;
  }
  staging_.room(bytes);
}

Status LayerReader::read(ThreadPool& pool) {
  for (const auto& [stored, at] : parts_) {
    if (!stored) continue;
    if (!all_finite(stored->dtype, stored->bytes, pool)) return weights_not_finite(stored->name);
    copy_bytes(staging_.data() + at, stored->bytes.data(), stored->bytes.size(), pool);
  }
  return {};
}

DeviceLayer LayerReader::load(size_t layer, ThreadPool& pool) {
  if (ahead_ == layer) {
    join();
    check(std::move(status_));
  } else {
    join();
    prepare(layer);
    check(read(pool));
  }
  Device& device = card_.device;
  DeviceLayer loaded(DecoderBlock::load(device, model_, layer, pool));
  const auto linears = model_.linears_of(layer);
  for (size_t i = 0; i < linears.size(); ++i) {
    if (parts_[i].stored) {
      loaded.weights_.emplace_back(device, parts_[i].stored->dtype, linears[i].rows, linears[i].columns,
                                   "the weights of a layer");
    } else {
      const auto view = taken(model_.packed_view(linears[i]));
      loaded.weights_.push_back(
          DeviceWeight::of(card_, linears[i].name, *view, "the weights of a layer", pool));
    }
  }
  device.copies().wait_for(device.stream());  // the memory is theirs from there on
  for (size_t i = 0; i < parts_.size(); ++i)
    if (parts_[i].stored)
      device.upload(device.copies(), loaded.weights_[i].data(), staging_.data() + parts_[i].at,
                    parts_[i].stored->bytes.size());
  device.copies().wait();
  return loaded;
}

}  // namespace signum::cuda
