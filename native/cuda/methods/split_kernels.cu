#include <algorithm>
#include <type_traits>

#include "cuda/methods/row_lanes.h"
#include "cuda/methods/split_kernels.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;

// A part of a tile in shared memory: [columns][32].
__device__ Columns load_part(const SplitPass& p, Part part, float* tile) {
  const Columns columns = columns_of(*p.choice, part, p.shape.width);
  const float* from = p.search + (size_t(blockIdx.x) * p.shape.width + columns.begin) * kLaneRows;
  for (unsigned i = threadIdx.x; i < columns.count() * kLaneRows; i += blockDim.x) tile[i] = from[i];
  __syncthreads();
  return columns;
}

__device__ void put_error(const SplitPass& p, unsigned slot, float error) {
  const double total = warp_sum(double(error));
  if (threadIdx.x % 32 == 0) p.partial[blockIdx.x * size_t(kErrorSlots) + slot] = total;
}

// A number of each of a split's two groups: |T| >= threshold, and the rest.
struct Both {
  float sparse = 0, rest = 0;

  __device__ float of(bool in) const { return in ? sparse : rest; }
  __device__ void add(bool in, float x) {
    sparse += in ? x : 0.0f;
    rest += in ? 0.0f : x;
  }
  __device__ Both plus(const Both& other) const { return {sparse + other.sparse, rest + other.rest}; }
  __device__ Both times(const Both& other) const { return {sparse * other.sparse, rest * other.rest}; }
  __device__ Both over(const Both& members) const {
    return {mean_or_zero(sparse, members.sparse), mean_or_zero(rest, members.rest)};
  }
  __device__ float sum() const { return sparse + rest; }
};

// Squared error of a row in two groups, each in one order (methods/search_kernels.cc, SplitErrorsSigned). t:
// this row's elements, 32 apart. Two chains, as there.
__device__ float split_error(const float* t, unsigned columns, float threshold, float bound) {
  Both sum0, sum1, members;
  const auto each = [&](const auto& visit) {
    unsigned j = 0;
    for (; j + 2 <= columns; j += 2) {
      visit(t[j * kLaneRows], std::false_type());
      visit(t[(j + 1) * kLaneRows], std::true_type());
    }
    if (j < columns) visit(t[j * kLaneRows], std::false_type());
  };
  each([&](float x, auto second) {
    const float size = fabsf(x);
    if (size >= bound) return;
    (decltype(second)::value ? sum1 : sum0).add(size >= threshold, x);
    members.add(size >= threshold, 1);
  });
  const Both mean = sum0.plus(sum1).over(members);
  Both size0, size1;
  float square0 = 0, square1 = 0;
  each([&](float x, auto second) {
    const float size = fabsf(x);
    if (size >= bound) return;
    const bool in = size >= threshold;
    const float deviation = x - mean.of(in);
    (decltype(second)::value ? size1 : size0).add(in, fabsf(deviation));
    float& square = decltype(second)::value ? square1 : square0;
    square = fmaf(deviation, deviation, square);
  });
  const Both size = size0.plus(size1);
  return square0 + square1 - size.times(size).over(members).sum();
}

__global__ void split_errors_kernel(SplitPass p) {
  float* tile = shared_memory<float>();
  const Columns columns = load_part(p, Part::Others, tile);
  const float bound = bound_of(*p.choice, Part::Others, p.passes);
  for (unsigned c = blockIdx.y * kWarps + threadIdx.x / 32; c < kThresholds; c += gridDim.y * kWarps)
    put_error(p, c, split_error(tile + threadIdx.x % 32, columns.count(), p.candidates[c], bound));
}

// The same in two orders (SalientSplitErrors), what the first one leaves being made anew wherever it is
// needed.
__device__ float salient_split_error(const float* t, unsigned columns, float threshold, float bound) {
  const auto each = [&](const auto& visit) {
    for (unsigned j = 0; j < columns; ++j) {
      const float x = t[j * kLaneRows], size = fabsf(x);
      if (size < bound) visit(x, size >= threshold);
    }
  };
  Both members, sum, size, sum2, size2;
  each([&](float x, bool in) {
    members.add(in, 1);
    sum.add(in, x);
  });
  const Both share = Both{1, 1}.over(members), mean = sum.times(share);
  each([&](float x, bool in) { size.add(in, fabsf(x - mean.of(in))); });
  const Both alpha = size.times(share);
  const auto left = [&](float x, bool in) { return residual_of(x - mean.of(in), alpha.of(in)); };
  each([&](float x, bool in) { sum2.add(in, left(x, in)); });
  const Both mean2 = sum2.times(share);
  float squares = 0;
  each([&](float x, bool in) {
    const float deviation = left(x, in) - mean2.of(in);
    size2.add(in, fabsf(deviation));
    squares = fmaf(deviation, deviation, squares);
  });
  return squares - size2.times(size2).times(share).sum();
}

__global__ void salient_split_errors_kernel(SplitPass p) {
  float* tile = shared_memory<float>();
  const Columns columns = load_part(p, Part::Salient, tile);
  const float bound = bound_of(*p.choice, Part::Salient, p.passes);
  for (unsigned c = blockIdx.y * kWarps + threadIdx.x / 32; c <= kUnsplitSlot; c += gridDim.y * kWarps) {
    const float threshold = c == kUnsplitSlot ? 0.0f : p.candidates[c];
    put_error(p, c, salient_split_error(tile + threadIdx.x % 32, columns.count(), threshold, bound));
  }
}

// One warp a tile.
__global__ void fitted_errors_kernel(SplitPass p, const float* left) {
  const unsigned width = p.shape.width, lane = threadIdx.x;
  const Columns columns = columns_of(*p.choice, Part::Others, width);
  const float bound = bound_of(*p.choice, Part::Others, p.passes);
  double sum = 0;
  for (unsigned j = columns.begin; j < columns.end; ++j) {
    const size_t at = (size_t(blockIdx.x) * width + j) * kLaneRows + lane;
    if (fabsf(p.search[at]) >= bound) sum += double(left[at]) * double(left[at]);
  }
  sum = warp_sum(sum);
  if (lane == 0) p.partial[blockIdx.x * size_t(kErrorSlots) + kFittedSlot] = sum;
}

__global__ void choose_salient_kernel(SplitPass p) {
  __shared__ double errors[kSumThreads];
  sum_tiles(p.partial, p.shape.tiles(), kErrorSlots, kUnsplitSlot + 1, errors);
  if (threadIdx.x != 0) return;
  BlockChoice& choice = *p.choice;
  bool improves = p.passes == 0 || choice.improves;  // once a pass improves nothing, none after it does
  float at = p.candidates[0];
  if (improves) {
    const unsigned best = first_minimum(errors, 0, kThresholds);
    improves = p.passes == 0 || errors[best] < errors[kUnsplitSlot];
    if (improves) at = p.candidates[best];
  }
  choice.salient_at[p.passes] = at;
  choice.improves = improves;
}

__global__ void choose_split_kernel(SplitPass p, SplitErrors errors_of) {
  __shared__ double errors[kSumThreads];
  sum_tiles(p.partial, errors_of.parts, kErrorSlots, errors_of.fitted ? kFittedSlot + 1 : kThresholds,
            errors);
  if (threadIdx.x != 0) return;
  BlockChoice& choice = *p.choice;
  const unsigned best = first_minimum(errors, 0, kThresholds);
  const double least = errors_of.fitted ? errors[best] + errors[kFittedSlot] : errors[best];
  // A later pass that does not go below the least error so far takes the lowest quantile.
  const bool better = p.passes == 0 || least < choice.least;
  choice.at[p.passes] = p.candidates[better ? best : 0];
  if (better) choice.least = least;
}

Grid grid_of(Device& device, const BlockShape& shape) {
  const unsigned shares =
      std::min(parts(kThresholds, kWarps), parts(4 * device.multiprocessors(), shape.tiles()));
  return {dim3(shape.tiles(), shares), dim3(kWarps * 32), shape.width * kLaneRows * sizeof(float)};
}

}  // namespace

void salient_split_errors(Device& device, const SplitPass& pass) {
  launch(device, salient_split_errors_kernel, grid_of(device, pass.shape), pass);
}
void choose_salient_split(Device& device, const SplitPass& pass) {
  launch(device, choose_salient_kernel, Grid{dim3(1), dim3(kSumThreads)}, pass);
}
void split_errors(Device& device, const SplitPass& pass) {
  launch(device, split_errors_kernel, grid_of(device, pass.shape), pass);
}
void fitted_errors(Device& device, const SplitPass& pass, const float* left) {
  launch(device, fitted_errors_kernel, Grid{dim3(pass.shape.tiles()), dim3(32)}, pass, left);
}
void choose_split(Device& device, const SplitPass& pass, const SplitErrors& errors) {
  launch(device, choose_split_kernel, Grid{dim3(1), dim3(kSumThreads)}, pass, errors);
}

}  // namespace signum::cuda
