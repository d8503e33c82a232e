#include <algorithm>

#include "cuda/math/triangular.h"
#include "cuda/methods/block_loop.h"

namespace signum::cuda {
namespace {

constexpr size_t kGroupBlocks = 4;  // wide enough for the products to fill a card
constexpr unsigned kThreads = 256;

__global__ void prepare_kernel(DeviceView<const float> weight, const uint32_t* order, const uint8_t* dead,
                               float* out) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= weight.rows * weight.columns) return;
  const size_t r = i / weight.columns, j = i % weight.columns;
  out[i] = dead[j] ? 0.0f : weight.data[r * weight.stride + (order ? order[j] : j)];
}

// out = a + scale b; without b a copy.
__global__ void add_kernel(DeviceView<const float> a, float scale, DeviceView<const float> b,
                           DeviceView<float> out) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= a.rows * a.columns) return;
  const size_t r = i / a.columns, j = i % a.columns;
  const float x = a.data[r * a.stride + j];
  out.data[r * out.stride + j] = b.data ? x + scale * b.data[r * b.stride + j] : x;
}

void add(Device& device, DeviceView<const float> a, float scale, DeviceView<const float> b,
         DeviceView<float> out) {
  launch(device, add_kernel, one_each(a.rows * a.columns, kThreads), a, scale, b, out);
}

void multiply(Blas& blas, DeviceView<const float> a, DeviceView<const float> b, float beta,
              DeviceView<float> c) {
  blas.gemm(false, false, a.rows, b.columns, a.columns, 1, a.data, a.stride, b.data, b.stride, beta, c.data,
            c.stride);
}

DeviceMatrix prepared(Device& device, DeviceMatrix weight, const DeviceFactor& factor) {
  const bool any_dead =
      std::any_of(factor.dead_host.begin(), factor.dead_host.end(), [](uint8_t d) { return d != 0; });
  if (!factor.order && !any_dead) return weight;
  DeviceMatrix out(device, weight.rows(), weight.columns(), "a linear's weights");
  launch(device, prepare_kernel, one_each(weight.size(), kThreads), weight.view(), factor.order_device.data(),
         factor.dead.data(), out.data());
  return out;
}

}  // namespace

BlockLoop::BlockLoop(Card& card, DeviceMatrix weight, const DeviceFactor& factor, size_t blocksize)
    : card_(card),
      factor_(factor),
      blocksize_(std::min(blocksize, weight.columns())),
      group_(kGroupBlocks * blocksize_),
      weight_(prepared(card.device, std::move(weight), factor)),
      current_(card.device, rows(), blocksize_, "a block's weights"),
      passed_(card.device, rows(), std::min(group_, columns()), "the errors passed on"),
      scratch_(card.device, rows(), blocksize_, "a block's errors"),
      u_blocks_(card.device, columns(), blocksize_, "the factor's blocks") {
  invert_upper_blocks(card, r(), blocksize_, u_blocks_.view());
}

// P of the next blocks from the columns before them.
void BlockLoop::prepare_group() {
  group_start_ = start_;
  const size_t width = std::min(group_, columns() - start_);
  if (start_ > 0)
    multiply(card_.blas, weight_.view().block(0, 0, rows(), start_), r().block(0, start_, start_, width), 0,
             passed_.view().block(0, 0, rows(), width));
  else
    card_.device.fill(passed_.data(), 0, passed_.size() * sizeof(float));
}

void BlockLoop::enter(size_t t) {
  start_ = t * blocksize_;
  width_ = std::min(blocksize_, columns() - start_);
  if (t % kGroupBlocks == 0) prepare_group();
  add(card_.device, finished(), 0, {}, current());
  if (start_ == 0) return;
  if (const size_t inside = start_ - group_start_; inside > 0)
    multiply(card_.blas, weight_.view().block(0, group_start_, rows(), inside),
             r().block(group_start_, start_, inside, width_), 1, passed());
  multiply(card_.blas, passed(), u_block(), 1, current());
}

void BlockLoop::leave_with_error(DeviceView<const float> error) {
  const DeviceView<float> difference = scratch_.view().block(0, 0, rows(), width_);
  add(card_.device, error, -1, passed(), difference);
  multiply(card_.blas, difference, u_block(), 0, finished());
}

void BlockLoop::leave_with_quantized(DeviceView<const float> quantized) {
  add(card_.device, finished(), -1, quantized, finished());
}

}  // namespace signum::cuda
