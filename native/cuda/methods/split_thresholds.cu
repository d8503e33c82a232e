#include "cuda/methods/row_lanes.h"
#include "cuda/methods/split_thresholds.h"

namespace signum::cuda {
namespace {

// Magnitudes of F32 order as their bits do: 31 bits, looked at in three steps of 11, 10 and 10. Each step
// counts the values that share the bits before with one of the wanted ranks.
constexpr unsigned kTops = 2048, kBins = 1024, kRanks = 2 * kThresholds;
constexpr unsigned kNone = 0xFFFFFFFF;
constexpr unsigned kCountThreads = 256;

struct Search {
  SplitThresholds::Values values;
  uint32_t *top, *middle, *low;  // counts: [kTops], [kRanks][kBins], [kRanks][kBins]
  uint32_t *slot, *slot2;        // which of the [kRanks] a top, or a slot's middle, has; kNone
  uint32_t *top_of, *middle_of;  // by rank
  uint32_t* left;                // by rank: how many values of its bin come before it
  uint32_t* found;               // by rank: the value's bits
  uint32_t* count;               // [2]: of all values, and the zeros among them that are not in the tiles
};

// visit(bits of |x|) for every value, by all threads of the grid.
template <class Visit>
__device__ void each_value(const SplitThresholds::Values& v, const Visit& visit) {
  const unsigned width = v.shape.width;
  const Columns columns = columns_of(*v.choice, v.part, width);
  const float bound = bound_of(*v.choice, v.part, v.passes);
  const size_t of_tile = size_t(columns.count()) * kLaneRows, step = size_t(gridDim.x) * blockDim.x;
  for (size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < of_tile * v.shape.tiles(); i += step) {
    const size_t tile = i / of_tile, inside = i % of_tile;
    if (tile * kLaneRows + inside % kLaneRows >= v.shape.rows) continue;
    const float size = fabsf(v.search[(tile * width + columns.begin) * kLaneRows + inside]);
    if (size < bound && (v.with_zeros || size != 0)) visit(float_bits(size));
  }
}

__global__ void count_tops_kernel(Search s) {
  __shared__ uint32_t counts[kTops];
  for (unsigned i = threadIdx.x; i < kTops; i += blockDim.x) counts[i] = 0;
  __syncthreads();
  each_value(s.values, [&](unsigned bits) { atomicAdd(&counts[bits >> 20], 1u); });
  __syncthreads();
  for (unsigned i = threadIdx.x; i < kTops; i += blockDim.x)
    if (counts[i] > 0) atomicAdd(&s.top[i], counts[i]);
}
__global__ void count_middles_kernel(Search s) {
  each_value(s.values, [&](unsigned bits) {
    const unsigned slot = s.slot[bits >> 20];
    if (slot != kNone) atomicAdd(&s.middle[slot * kBins + (bits >> 10 & (kBins - 1))], 1u);
  });
}
__global__ void count_lows_kernel(Search s) {
  each_value(s.values, [&](unsigned bits) {
    const unsigned slot = s.slot[bits >> 20];
    if (slot == kNone) return;
    const unsigned slot2 = s.slot2[slot * kBins + (bits >> 10 & (kBins - 1))];
    if (slot2 != kNone) atomicAdd(&s.low[slot2 * kBins + (bits & (kBins - 1))], 1u);
  });
}

// numpy's linear interpolation: ranks 2 i and 2 i + 1 are those around quantile i, 0.10 + i / 100.
__device__ double place_of(unsigned quantile, unsigned count) {
  return double(10 + quantile) / 100 * double(count - 1);
}

// One warp: the bin of counts [32 lanes][bins / 32] in which the value of rank `left` lies; left becomes its
// rank there.
__device__ unsigned find_bin(const uint32_t* counts, unsigned bins, unsigned zeros, unsigned& left) {
  const unsigned lane = threadIdx.x % 32, own = bins / 32, begin = lane * own;
  unsigned sum = lane == 0 ? zeros : 0;
  for (unsigned i = 0; i < own; ++i) sum += counts[begin + i];
  unsigned end = sum;
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned other = warp_up(end, distance);
    if (lane >= distance) end += other;
  }
  const unsigned lane_of = unsigned(__ffs(warp_ballot(left < end))) - 1;
  unsigned bin = begin, rest = left - (end - sum);
  if (lane == lane_of)
    for (;; ++bin) {
      const unsigned here = counts[bin] + (bin == 0 ? zeros : 0);
      if (rest < here) break;
      rest -= here;
    }
  left = warp_from(rest, lane_of);
  return warp_from(bin, lane_of);
}

// A rank a warp. Of all that share a bin, the lowest rank names it.
__global__ void find_tops_kernel(Search s) {
  const unsigned lane = threadIdx.x % 32, rank = blockIdx.x;
  const SplitThresholds::Values& v = s.values;
  unsigned inside = 0;
  for (unsigned i = lane; i < kTops; i += 32) inside += s.top[i];
  inside = warp_sum(inside);
  const unsigned zeros = v.with_zeros ? unsigned(v.shape.width * v.shape.rows) - inside : 0,
                 count = inside + zeros;
  if (rank == 0 && lane == 0) s.count[0] = count, s.count[1] = zeros;
  if (count == 0) return;
  const unsigned low = unsigned(place_of(rank / 2, count));
  unsigned left = rank % 2 == 0 || low + 1 > count - 1 ? low : low + 1;
  const unsigned top = find_bin(s.top, kTops, zeros, left);
  if (lane != 0) return;
  s.top_of[rank] = top;
  s.left[rank] = left;
  atomicMin(&s.slot[top], rank);
}
__global__ void find_middles_kernel(Search s) {
  const unsigned rank = blockIdx.x;
  if (s.count[0] == 0) return;
  const unsigned top = s.top_of[rank], slot = s.slot[top];
  unsigned left = s.left[rank];
  const unsigned middle = find_bin(s.middle + slot * kBins, kBins, top == 0 ? s.count[1] : 0, left);
  warp_barrier();
  if (threadIdx.x != 0) return;
  s.middle_of[rank] = middle;
  s.left[rank] = left;
  atomicMin(&s.slot2[slot * kBins + middle], rank);
}
__global__ void find_lows_kernel(Search s) {
  const unsigned rank = blockIdx.x;
  if (s.count[0] == 0) return;
  const unsigned top = s.top_of[rank], middle = s.middle_of[rank];
  const unsigned slot2 = s.slot2[s.slot[top] * kBins + middle];
  unsigned left = s.left[rank];
  const unsigned low = find_bin(s.low + slot2 * kBins, kBins, top == 0 && middle == 0 ? s.count[1] : 0, left);
  if (threadIdx.x == 0) s.found[rank] = top << 20 | middle << 10 | low;
}

__global__ void interpolate_kernel(Search s, float* candidates) {
  const unsigned i = threadIdx.x, count = s.count[0];
  if (i >= kThresholds) return;
  if (count == 0) {
    candidates[i] = 0;
    return;
  }
  const double at = place_of(i, count), share = at - double(unsigned(at));
  const double a = double(bits_float(s.found[2 * i])), b = double(bits_float(s.found[2 * i + 1]));
  candidates[i] = float(share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share));
}

}  // namespace

SplitThresholds::SplitThresholds(Device& device)
    : device_(device),
      counts_(device, kTops + 2 * kRanks * kBins, "the split search"),
      slots_(device, kTops + kRanks * kBins, "the split search"),
      ranks_(device, 4 * kRanks + 2, "the split search") {}

void SplitThresholds::find(const Values& values, float* candidates) {
  counts_.fill(0);
  slots_.fill(0xFF);
  Search s;
  s.values = values;
  s.top = counts_.data();
  s.middle = s.top + kTops;
  s.low = s.middle + kRanks * kBins;
  s.slot = slots_.data();
  s.slot2 = s.slot + kTops;
  s.top_of = ranks_.data();
  s.middle_of = s.top_of + kRanks;
  s.left = s.middle_of + kRanks;
  s.found = s.left + kRanks;
  s.count = s.found + kRanks;
  const size_t most = size_t(4) * device_.multiprocessors(),
               wanted = parts(values.shape.size(), 4 * kCountThreads);
  const Grid over_values{dim3(unsigned(wanted < most ? wanted : most)), dim3(kCountThreads)};
  const Grid over_ranks{dim3(kRanks), dim3(32)};
  launch(device_, count_tops_kernel, over_values, s);
  launch(device_, find_tops_kernel, over_ranks, s);
  launch(device_, count_middles_kernel, over_values, s);
  launch(device_, find_middles_kernel, over_ranks, s);
  launch(device_, count_lows_kernel, over_values, s);
  launch(device_, find_lows_kernel, over_ranks, s);
  launch(device_, interpolate_kernel, Grid{dim3(1), dim3(96)}, s, candidates);
}

}  // namespace signum::cuda
