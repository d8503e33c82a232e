#include "cuda/math/sums.h"
#include "cuda/methods/salient_weights.h"
#include "methods/salient_weights.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;
constexpr unsigned kBins = 2048;
constexpr unsigned kBinsOfLane = kBins / 32;
constexpr size_t kWeightsOfBlock = 1 << 16;

// All keys above `key` are salient, and of those that equal it the first `equal` of `present`. While it is
// looked for: the bits that are known, and how many are still wanted among those that share them.
struct Cut {
  unsigned key, equal, present;
};

struct Groups {
  DeviceView<const float> weight;
  const float* column_weight;
  size_t group;

  __device__ size_t begin(size_t g) const { return g * group; }
  __device__ size_t width(size_t g) const {
    const size_t rest = weight.columns - g * group;
    return rest < group ? rest : group;
  }
  // Floats that are not negative are ordered as these numbers.
  __device__ unsigned key(size_t row, size_t column) const {
    return float_bits(fabsf(weight.data[row * weight.stride + column] * column_weight[column]));
  }
};

// Counts the bits [shift, shift + bits) of the keys whose higher bits are known. Whole numbers: no order of
// work shows in them. counts [groups][kBins]
__global__ void count_kernel(Groups groups, const Cut* cuts, unsigned shift, unsigned bits, size_t band,
                             unsigned* counts) {
  __shared__ unsigned own[kBins];
  for (unsigned i = threadIdx.x; i < kBins; i += blockDim.x) own[i] = 0;
  __syncthreads();
  const size_t g = blockIdx.y, begin = groups.begin(g), width = groups.width(g), row = blockIdx.x * band;
  const size_t rows = groups.weight.rows - row < band ? groups.weight.rows - row : band;
  const unsigned known = shift + bits < 32 ? cuts[g].key >> (shift + bits) : 0;
  for (size_t i = threadIdx.x; i < rows * width; i += blockDim.x) {
    const unsigned key = groups.key(row + i / width, begin + i % width);
    if (shift + bits < 32 && key >> (shift + bits) != known) continue;
    atomicAdd(&own[key >> shift & ((1u << bits) - 1)], 1u);
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < kBins; i += blockDim.x)
    if (own[i]) atomicAdd(&counts[g * kBins + i], own[i]);
}

// A warp a group: the bin, from the top, in which the last wanted key lies. Leaves the counts at zero.
__global__ void cut_kernel(unsigned shift, Cut* cuts, unsigned* counts) {
  const size_t g = blockIdx.x;
  const unsigned lane = threadIdx.x, top = kBins - 1 - lane * kBinsOfLane;
  unsigned* own = counts + g * kBins;
  const unsigned wanted = cuts[g].equal;
  unsigned sum = 0;
  for (unsigned i = 0; i < kBinsOfLane; ++i) sum += own[top - i];
  unsigned through = sum;  // of this lane and those above
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned before = warp_up(through, distance);
    if (lane >= distance) through += before;
  }
  const unsigned first = unsigned(__ffs(int(warp_ballot(through >= wanted))) - 1);
  if (lane == first) {
    unsigned left = wanted - (through - sum), bin = top;
    while (own[bin] < left) left -= own[bin--];
    cuts[g].key |= bin << shift;
    cuts[g].equal = left;
    cuts[g].present = own[bin];
  }
  for (unsigned i = 0; i < kBinsOfLane; ++i) own[top - i] = 0;
}

// How many keys of each row equal the cut, where not all of these are salient. ties [groups][rows]
__global__ void ties_kernel(Groups groups, const Cut* cuts, unsigned* ties) {
  const size_t g = blockIdx.y, row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= groups.weight.rows || cuts[g].equal == cuts[g].present) return;
  unsigned count = 0;
  for (size_t j = threadIdx.x % 32; j < groups.width(g); j += 32)
    count += groups.key(row, groups.begin(g) + j) == cuts[g].key;
  count = warp_sum(count);
  if (threadIdx.x % 32 == 0) ties[g * groups.weight.rows + row] = count;
}
// From how many there are to how many each row may take: the first rows take all.
__global__ void allow_kernel(const Cut* cuts, size_t rows, unsigned* ties) {
  const size_t g = blockIdx.x;
  if (cuts[g].equal == cuts[g].present) return;
  const unsigned lane = threadIdx.x, all = cuts[g].equal;
  unsigned taken = 0;
  for (size_t begin = 0; begin < rows; begin += 32) {
    const bool is = begin + lane < rows;
    const unsigned own = is ? ties[g * rows + begin + lane] : 0;
    unsigned through = own;
    for (unsigned distance = 1; distance < 32; distance *= 2) {
      const unsigned before = warp_up(through, distance);
      if (lane >= distance) through += before;
    }
    const unsigned before = taken + through - own, left = before < all ? all - before : 0;
    if (is) ties[g * rows + begin + lane] = own < left ? own : left;
    taken += warp_from(through, 31);
  }
}

__global__ void mark_kernel(Groups groups, const Cut* cuts, const unsigned* ties, uint8_t* salient) {
  const unsigned lane = threadIdx.x % 32;
  const size_t g = blockIdx.y, row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= groups.weight.rows) return;
  const Cut cut = cuts[g];
  const size_t begin = groups.begin(g), width = groups.width(g);
  unsigned left = cut.equal == cut.present ? ~0u : ties[g * groups.weight.rows + row];
  for (size_t j = 0; j < width; j += 32) {
    const bool is = j + lane < width;
    const unsigned key = is ? groups.key(row, begin + j + lane) : 0;
    const unsigned tied = warp_ballot(is && key == cut.key);
    const unsigned rank = unsigned(__popc(tied & ((1u << lane) - 1)));
    if (is)
      salient[row * groups.weight.columns + begin + j + lane] =
          key > cut.key || (key == cut.key && rank < left);
    const unsigned found = unsigned(__popc(tied));
    if (left != ~0u) left -= found < left ? found : left;
  }
}

}  // namespace

void find_salient(Device& device, DeviceView<const float> weight, const float* column_weight, size_t group,
                  double share, uint8_t* salient) {
  const size_t count = (weight.columns + group - 1) / group, m = weight.rows;
  std::vector<Cut> wanted(count);
  for (size_t g = 0; g < count; ++g)
    wanted[g].equal =
        unsigned(signum::salient_of_group(m * std::min(group, weight.columns - g * group), share));
  Array<Cut> cuts(device, count, "thresholds");
  cuts.upload(wanted);
  Array<unsigned> counts(device, count * kBins, "counts"), ties(device, count * m, "ties");
  counts.fill(0);
  const Groups groups{weight, column_weight, group};
  const size_t band = std::max<size_t>(1, kWeightsOfBlock / std::min(group, weight.columns));
  const Grid bands{dim3(parts(m, band), unsigned(count)), dim3(256)};
  const std::pair<unsigned, unsigned> digits[] = {{21, 11}, {10, 11}, {0, 10}};  // from the highest bits on
  for (const auto& [shift, bits] : digits) {
    launch(device, count_kernel, bands, groups, cuts.data(), shift, bits, band, counts.data());
    launch(device, cut_kernel, Grid{dim3(unsigned(count)), dim3(32)}, shift, cuts.data(), counts.data());
  }
  const Grid rows{dim3(parts(m, kWarps), unsigned(count)), dim3(32 * kWarps)};
  launch(device, ties_kernel, rows, groups, cuts.data(), ties.data());
  launch(device, allow_kernel, Grid{dim3(unsigned(count)), dim3(32)}, cuts.data(), m, ties.data());
  launch(device, mark_kernel, rows, groups, cuts.data(), ties.data(), salient);
  device.stream().wait();  // for `wanted`, which was uploaded
}

}  // namespace signum::cuda
