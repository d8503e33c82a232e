#include "cuda/methods/group_fits.h"
#include "cuda/methods/row_lanes.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256;

// This thread's row of the tile of its block.
struct RowOf {
  size_t tile;
  unsigned lane;
  __device__ RowOf(unsigned width)
      : tile(size_t(blockIdx.x) * width * kLaneRows), lane(threadIdx.x % kLaneRows) {}
  __device__ size_t at(unsigned j) const { return tile + j * kLaneRows + lane; }
  __device__ size_t row() const { return size_t(blockIdx.x) * kLaneRows + lane; }
};

__global__ void groups_kernel(GroupFit f, const float* search, uint8_t* group) {
  const unsigned width = f.shape.width;
  const size_t tile = size_t(blockIdx.x) * width * kLaneRows;
  for (unsigned i = threadIdx.x; i < width * kLaneRows; i += blockDim.x) {
    const bool salient = i / kLaneRows < f.choice->salient;
    group[tile + i] = uint8_t(group_of(salient ? f.choice->salient_at : f.choice->at,
                                       salient ? f.salient_splits : f.splits, fabsf(search[tile + i])));
  }
}

// One order, refined (methods/arb_kernels.cc). value(j), member(j).
template <class Value, class Member>
__device__ void refine_one_order(Columns columns, const Value& value, const Member& member, int iterations,
                                 float& mean, float& alpha) {
  float sum = 0, members = 0;
  for (unsigned j = columns.begin; j < columns.end; ++j)
    if (member(j)) sum += value(j), members += 1;
  const float center = mean_or_zero(sum, members);
  mean = center;
  for (int i = 0; i < iterations || i == 0; ++i) {
    float size = 0, above = 0, below = 0;  // sum of |x - mean|, how many B are 1, -1
    for (unsigned j = columns.begin; j < columns.end; ++j)
      if (member(j)) {
        const float by = value(j) - mean;
        size += fabsf(by);
        above += by > 0 ? 1.0f : 0.0f;
        below += by < 0 ? 1.0f : 0.0f;
      }
    if (i == 0) alpha = mean_or_zero(size, members);
    if (i == iterations) break;
    const float balance = above - below;
    const float next = fmaf(-alpha, mean_or_zero(balance, members), center);
    const float scale = mean_or_zero(fmaf(mean - next, balance, size), above + below);
    const bool settled = next == mean && scale == alpha;
    mean = next;
    alpha = scale;
    if (settled) break;  // nor would any later iteration change them
  }
}

// Two orders, refined. sign1, sign2: room and out, where member.
template <class Member>
__device__ void refine_two_orders(Columns columns, const RowOf& row, const float* x, const Member& member,
                                  int iterations, float* sign1, float* sign2, float& mean, float& alpha1,
                                  float& alpha2) {
  float center, nu;
  one_order(
      columns, [&](unsigned j) { return x[row.at(j)]; }, member,
      [&](unsigned j, float deviation) { sign1[row.at(j)] = deviation; }, center, alpha1);
  for (unsigned j = columns.begin; j < columns.end; ++j)
    if (member(j)) {
      const float deviation = sign1[row.at(j)];
      sign2[row.at(j)] = residual_of(deviation, alpha1);
      sign1[row.at(j)] = sign_of(deviation);
    }
  float members = 0;
  one_order(
      columns, [&](unsigned j) { return sign2[row.at(j)]; }, member,
      [&](unsigned j, float deviation) {
        sign2[row.at(j)] = sign_of(deviation);
        members += 1;
      },
      nu, alpha2);
  for (int i = 0; i < iterations; ++i) {
    float sum1 = 0, sum2 = 0, both = 0, count1 = 0, count2 = 0, with1 = 0, with2 = 0;
    for (unsigned j = columns.begin; j < columns.end; ++j)
      if (member(j)) {
        const float b1 = sign1[row.at(j)], b2 = sign2[row.at(j)], y = x[row.at(j)] - center;
        sum1 += b1;
        sum2 += b2;
        both = fmaf(b1, b2, both);
        count1 += fabsf(b1);
        count2 += fabsf(b2);
        with1 = fmaf(b1, y, with1);
        with2 = fmaf(b2, y, with2);
      }
    nu = -mean_or_zero(fmaf(alpha1, sum1, alpha2 * sum2), members);
    alpha1 = mean_or_zero(fmaf(-alpha2, both, fmaf(-nu, sum1, with1)), count1);
    alpha2 = mean_or_zero(fmaf(-alpha1, both, fmaf(-nu, sum2, with2)), count2);
    const float level = center + nu;
    for (unsigned j = columns.begin; j < columns.end; ++j)
      if (member(j))
        nearest_of_four(x[row.at(j)] - level, alpha1, alpha2, sign1[row.at(j)], sign2[row.at(j)]);
  }
  mean = center + nu;
}

// A tile a block, a group a warp: the salient ones, then the others.
__global__ void arb_kernel(GroupFit f, int iterations) {
  const RowOf row(f.shape.width);
  const size_t slot = f.shape.tiles() * size_t(kLaneRows);
  const unsigned warp = threadIdx.x / 32, salient_groups = f.salient_splits + 1;
  const auto value = [&](unsigned j) { return f.weight[row.at(j)]; };
  float mean, alpha1, alpha2;
  if (warp < salient_groups) {
    const auto member = [&](unsigned j) { return f.group[row.at(j)] == warp; };
    refine_two_orders(columns_of(*f.choice, Part::Salient, f.shape.width), row, f.weight, member, iterations,
                      f.first, f.second, mean, alpha1, alpha2);
    f.scale[2 * warp * slot + row.row()] = alpha1;
    f.scale[(2 * warp + 1) * slot + row.row()] = alpha2;
  } else {
    const unsigned group = warp - salient_groups;
    const Columns columns = columns_of(*f.choice, Part::Others, f.shape.width);
    const auto member = [&](unsigned j) { return f.group[row.at(j)] == group; };
    refine_one_order(columns, value, member, iterations, mean, alpha1);
    for (unsigned j = columns.begin; j < columns.end; ++j)
      if (member(j)) f.first[row.at(j)] = sign_of(value(j) - mean);
    f.scale[(salient_groups + warp) * slot + row.row()] = alpha1;
  }
  f.mean[warp * slot + row.row()] = mean;
}

__global__ void billm_kernel(GroupFit f) {
  const RowOf row(f.shape.width);
  const size_t slot = f.shape.tiles() * size_t(kLaneRows);
  const unsigned warp = threadIdx.x / 32;
  const auto value = [&](unsigned j) { return f.weight[row.at(j)]; };
  const auto put = [&](unsigned j, float deviation) { f.first[row.at(j)] = deviation; };
  float mean, alpha;
  if (warp == 0) {
    const Columns columns = columns_of(*f.choice, Part::Salient, f.shape.width);
    const auto every = [](unsigned) { return true; };
    float mean2, alpha2;
    one_order(columns, value, every, put, mean, alpha);
    const auto left = [&](unsigned j) { return residual_of(f.first[row.at(j)], alpha); };
    one_order(
        columns, left, every, [&](unsigned j, float deviation) { f.second[row.at(j)] = deviation; }, mean2,
        alpha2);
    mean += mean2;
    f.scale[slot + row.row()] = alpha2;
  } else {
    const auto member = [&](unsigned j) { return f.group[row.at(j)] == warp - 1; };
    one_order(columns_of(*f.choice, Part::Others, f.shape.width), value, member, put, mean, alpha);
  }
  f.scale[(warp == 0 ? 0 : warp + 1) * slot + row.row()] = alpha;
  f.mean[warp * slot + row.row()] = mean;
}

// One warp for the salient columns, one for each group before the last, one for the last.
__global__ void residual_kernel(Residual r) {
  const RowOf row(r.shape.width);
  const unsigned warp = threadIdx.x / 32;
  const float* x = r.search;
  if (warp > r.passes) {
    const Columns columns = columns_of(*r.choice, Part::Salient, r.shape.width);
    float mean, alpha1, alpha2;
    refine_two_orders(
        columns, row, x, [](unsigned) { return true; }, r.iterations, r.first, r.second, mean, alpha1,
        alpha2);
    for (unsigned j = columns.begin; j < columns.end; ++j) {
      const float rest = fmaf(-alpha1, r.first[row.at(j)], x[row.at(j)] - mean);
      r.left[row.at(j)] = fmaf(-alpha2, r.second[row.at(j)], rest);
    }
    return;
  }
  const Columns columns = columns_of(*r.choice, Part::Others, r.shape.width);
  const auto value = [&](unsigned j) { return x[row.at(j)]; };
  const auto member = [&](unsigned j) { return group_of(r.choice->at, r.passes, fabsf(value(j))) == warp; };
  float mean = 0, alpha = 0;
  if (warp < r.passes) refine_one_order(columns, value, member, r.iterations, mean, alpha);
  for (unsigned j = columns.begin; j < columns.end; ++j)
    if (member(j)) {
      const float deviation = value(j) - mean;
      r.left[row.at(j)] = warp < r.passes ? fmaf(-alpha, sign_of(deviation), deviation) : value(j);
    }
}

}  // namespace

void make_groups(Device& device, const GroupFit& fit, const float* search, uint8_t* group) {
  launch(device, groups_kernel, Grid{dim3(fit.shape.tiles()), dim3(kThreads)}, fit, search, group);
}
void fit_billm(Device& device, const GroupFit& fit) {
  launch(device, billm_kernel, Grid{dim3(fit.shape.tiles()), dim3(32 * (1 + fit.groups()))}, fit);
}
void fit_arb(Device& device, const GroupFit& fit, int iterations) {
  const unsigned warps = fit.salient_groups() + fit.groups();
  launch(device, arb_kernel, Grid{dim3(fit.shape.tiles()), dim3(32 * warps)}, fit, iterations);
}
void arb_residual(Device& device, const Residual& residual) {
  const unsigned warps = residual.passes + 1 + (residual.salient ? 1 : 0);
  launch(device, residual_kernel, Grid{dim3(residual.shape.tiles()), dim3(32 * warps)}, residual);
}

}  // namespace signum::cuda
