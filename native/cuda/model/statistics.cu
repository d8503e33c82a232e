#include "cuda/model/block_reduce.h"
#include "cuda/model/statistics.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kWarps = kThreads / 32;

struct Smaller {
  __device__ unsigned operator()(unsigned a, unsigned b) const { return a < b ? a : b; }
};

// What a softmax needs of a row, known to every thread of the block.
struct Totals {
  float largest;
  double sum;      // of exp(x - largest)
  bool finite;     // all of the row
  unsigned first;  // place of the largest, the first of equals

  __device__ double log_sum_exp() const { return double(largest) + log(sum); }
};

__device__ Totals totals_of(const float* x, unsigned n) {
  float largest = x[0];
  unsigned bad = 0;
  for (unsigned i = threadIdx.x; i < n; i += kThreads) {
    largest = fmaxf(largest, x[i]);
    bad += (float_bits(x[i]) >> 23 & 0xFFu) == 0xFFu;
  }
  Totals totals;
  totals.largest = block_reduce<kWarps>(largest, Larger());
  totals.finite = block_reduce<kWarps>(bad, Plus()) == 0;
  unsigned first = n;
  for (unsigned i = threadIdx.x; i < n && first == n; i += kThreads)
    if (x[i] == totals.largest) first = i;
  totals.first = block_reduce<kWarps>(first, Smaller());
  totals.sum = block_reduce<kWarps>(
      sum_of(threadIdx.x, kThreads, n, [&](size_t i) { return expf(x[i] - totals.largest); }), Plus());
  return totals;
}

// A block for a row.
__global__ void losses_kernel(DeviceView<const float> logits, const uint32_t* targets, TargetOnCard* out) {
  const float* x = logits.data + size_t(blockIdx.x) * logits.stride;
  const Totals totals = totals_of(x, unsigned(logits.columns));
  if (threadIdx.x != 0) return;
  TargetOnCard target;
  target.loss = totals.finite ? totals.log_sum_exp() - double(x[targets[blockIdx.x]]) : NAN;
  out[blockIdx.x] = target;
}

__global__ void compare_kernel(DeviceView<const float> logits, DeviceView<const float> reference,
                               const uint32_t* targets, TargetOnCard* out) {
  const float* x = logits.data + size_t(blockIdx.x) * logits.stride;
  const float* base = reference.data + size_t(blockIdx.x) * reference.stride;
  const unsigned n = unsigned(logits.columns);
  const Totals ours = totals_of(x, n), theirs = totals_of(base, n);
  const double weighted = block_reduce<kWarps>(
      sum_of(threadIdx.x, kThreads, n,
             [&](size_t i) { return expf(base[i] - theirs.largest) * (base[i] - x[i]); }),
      Plus());
  if (threadIdx.x != 0) return;
  const uint32_t next = targets[blockIdx.x];
  TargetOnCard target;
  target.loss = ours.finite ? ours.log_sum_exp() - double(x[next]) : NAN;
  target.reference_loss = theirs.finite ? theirs.log_sum_exp() - double(base[next]) : NAN;
  // ln(p_reference / p) of an id is the difference of its logits less that of the two totals.
  target.kld = ours.finite && theirs.finite
                   ? weighted / theirs.sum - (theirs.log_sum_exp() - ours.log_sum_exp())
                   : NAN;
  target.same_top = ours.first == theirs.first;
  out[blockIdx.x] = target;
}

}  // namespace

void losses(Device& device, DeviceView<const float> logits, const uint32_t* targets, TargetOnCard* out) {
  launch(device, losses_kernel, Grid{dim3(unsigned(logits.rows)), dim3(kThreads)}, logits, targets, out);
}
void compare_targets(Device& device, DeviceView<const float> logits, DeviceView<const float> reference,
                     const uint32_t* targets, TargetOnCard* out) {
  launch(device, compare_kernel, Grid{dim3(unsigned(logits.rows)), dim3(kThreads)}, logits, reference,
         targets, out);
}

}  // namespace signum::cuda
