#include "cuda/methods/rank_one.h"
#include "cuda/methods/row_lanes.h"

namespace signum::cuda {
namespace {

constexpr unsigned kThreads = 256, kWarps = kThreads / 32;
constexpr unsigned kPadded =
    kLaneRows + 1;  // rows of a tile in shared memory, so that columns meet no bank twice
constexpr double kEpsilon = 1e-8;

// One order's scales: its start, mean sizes; an update by least squares; the same after the signs of both
// orders were chosen anew.
enum class Step : uint8_t { Start, Update, AssignAndUpdate };

// What one thread block knows of an element of its tile.
struct Element {
  float value;  // what this order is fitted to
  float sign;
};

__device__ size_t padded_rows(const RankOne& f) { return size_t(f.shape.tiles()) * kLaneRows; }

__device__ float scale_at(const RankOne& f, int order, unsigned group, unsigned j, unsigned lane) {
  return f.row_scale_of(order)[group * padded_rows(f) + size_t(blockIdx.x) * kLaneRows + lane] *
         f.column_scale_of(order)[group * f.shape.width + j];
}

__device__ Element element_of(const RankOne& f, int orders, int order, Step step, size_t at, unsigned group,
                              unsigned j, unsigned lane) {
  const float x = f.x[at];
  if (orders == 1) return {x, sign_of(x)};
  if (step == Step::Start) {  // of the second order
    const float first = sign_of(x), left = x - scale_at(f, 0, group, j, lane) * first;
    f.sign[0][at] = first;
    f.sign[1][at] = sign_of(left);
    return {left, sign_of(left)};
  }
  if (step == Step::AssignAndUpdate)
    nearest_of_four(x, scale_at(f, 0, group, j, lane), scale_at(f, 1, group, j, lane), f.sign[0][at],
                    f.sign[1][at]);
  return {fmaf(-scale_at(f, 1 - order, group, j, lane), f.sign_of(1 - order)[at], x), f.sign_of(order)[at]};
}

// A tile a block: row scales of one order, and the tile's sums for its column scales.
template <unsigned kGroups>
__global__ void step_kernel(RankOne f, int orders, int order, Step step) {
  const unsigned width = f.shape.width, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const Columns columns = columns_of(*f.choice, f.part, width);
  float* value = shared_memory<float>();                                 // [width][33]
  float* parts = value + width * kPadded;                                // [2][groups][warps][32]
  float* row_scale = parts + 2 * kGroups * kWarps * 32;                  // [groups][32]
  uint8_t* code = reinterpret_cast<uint8_t*>(row_scale + kGroups * 32);  // [width][33]: group, sign + 1
  const bool start = step == Step::Start;

  float product[kGroups], square[kGroups];
  for (unsigned g = 0; g < kGroups; ++g) product[g] = square[g] = 0;
  for (unsigned j = columns.begin + warp; j < columns.end; j += kWarps) {
    const size_t at = (size_t(blockIdx.x) * width + j) * kLaneRows + lane;
    const unsigned group = kGroups == 1 ? 0 : f.group[at];
    const Element e = element_of(f, orders, order, step, at, group, j, lane);
    const float column = start ? 0.0f : f.column_scale_of(order)[group * width + j] * e.sign;
#pragma unroll
    for (unsigned g = 0; g < kGroups; ++g) {
      if (g != group) continue;
      product[g] = start ? product[g] + fabsf(e.value) : fmaf(column, e.value, product[g]);
      square[g] = start ? square[g] + 1 : fmaf(column, column, square[g]);
    }
    value[j * kPadded + lane] = e.value;
    code[j * kPadded + lane] = uint8_t(group | unsigned(int(e.sign) + 1) << 2);
  }
#pragma unroll
  for (unsigned g = 0; g < kGroups; ++g) {
    parts[(g * kWarps + warp) * 32 + lane] = product[g];
    parts[((kGroups + g) * kWarps + warp) * 32 + lane] = square[g];
  }
  __syncthreads();
  if (warp < kGroups) {
    float sum = 0, squares = 0;
    for (unsigned w = 0; w < kWarps; ++w) {
      sum += parts[(warp * kWarps + w) * 32 + lane];
      squares += parts[((kGroups + warp) * kWarps + w) * 32 + lane];
    }
    const float scale = start ? sum / fmaxf(squares, 1.0f) : sum / (squares + float(kEpsilon));
    row_scale[warp * 32 + lane] = scale;
    f.row_scale_of(order)[warp * padded_rows(f) + size_t(blockIdx.x) * kLaneRows + lane] = scale;
  }
  __syncthreads();

  const unsigned j = columns.begin + threadIdx.x;
  if (j >= columns.end) return;
  for (unsigned g = 0; g < kGroups; ++g) product[g] = square[g] = 0;
  for (unsigned r = 0; r < kLaneRows; ++r) {
    const unsigned bits = code[j * kPadded + r], group = bits & 3;
    const float v = value[j * kPadded + r], row = row_scale[group * 32 + r], sign = float(int(bits >> 2) - 1);
    const float inverse = row > 0 ? 1.0f / row : 0.0f, signed_row = row * sign;
#pragma unroll
    for (unsigned g = 0; g < kGroups; ++g) {
      if (g != group) continue;
      product[g] = start ? fmaf(fabsf(v), inverse, product[g]) : fmaf(signed_row, v, product[g]);
      square[g] = start ? square[g] + (row > 0 ? 1.0f : 0.0f) : fmaf(signed_row, signed_row, square[g]);
    }
  }
  float* sums = f.partial + size_t(blockIdx.x) * 2 * kGroups * width + j;
#pragma unroll
  for (unsigned g = 0; g < kGroups; ++g) {
    sums[g * width] = product[g];
    sums[(kGroups + g) * width] = square[g];
  }
}

// The column scales of one order from the tiles' sums: 32 of them a block.
__global__ void solve_kernel(RankOne f, int order, bool start) {
  __shared__ double room[2][kWarps][32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, width = f.shape.width;
  const unsigned size = f.groups * width, i = blockIdx.x * 32 + lane, j = i % width;
  const Columns columns = columns_of(*f.choice, f.part, width);
  const bool there = i < size && j >= columns.begin && j < columns.end;
  double numerator = 0, denominator = 0;
  if (there)
    for (size_t t = warp; t < f.shape.tiles(); t += kWarps) {
      numerator += double(f.partial[t * 2 * size + i]);
      denominator += double(f.partial[t * 2 * size + size + i]);
    }
  room[0][warp][lane] = numerator;
  room[1][warp][lane] = denominator;
  __syncthreads();
  if (warp != 0 || !there) return;
  for (unsigned w = 1; w < kWarps; ++w) numerator += room[0][w][lane], denominator += room[1][w][lane];
  f.column_scale_of(order)[i] =
      float(start ? (denominator > 0 ? numerator / denominator : 0) : numerator / (denominator + kEpsilon));
}

__global__ void assign_kernel(RankOne f) {
  const Columns columns = columns_of(*f.choice, f.part, f.shape.width);
  const unsigned lane = threadIdx.x % 32;
  for (unsigned j = columns.begin + threadIdx.x / 32; j < columns.end; j += kWarps) {
    const size_t at = (size_t(blockIdx.x) * f.shape.width + j) * kLaneRows + lane;
    const unsigned group = f.group[at];
    nearest_of_four(f.x[at], scale_at(f, 0, group, j, lane), scale_at(f, 1, group, j, lane), f.sign[0][at],
                    f.sign[1][at]);
  }
}

__global__ void residual_kernel(RankOne f, float* left) {
  const Columns columns = columns_of(*f.choice, f.part, f.shape.width);
  const unsigned lane = threadIdx.x % 32;
  for (unsigned j = columns.begin + threadIdx.x / 32; j < columns.end; j += kWarps) {
    const size_t at = (size_t(blockIdx.x) * f.shape.width + j) * kLaneRows + lane;
    const float size = fabsf(f.x[at]);
    left[at] = size == 0 ? 0.0f : size - scale_at(f, 0, f.group[at], j, lane);
  }
}

// A group a block.
__global__ void normalize_kernel(RankOne f, int order, float* factor) {
  __shared__ double room[32];
  const Columns columns = columns_of(*f.choice, f.part, f.shape.width);
  const unsigned j = columns.begin + threadIdx.x;
  float* column = f.column_scale_of(order) + size_t(blockIdx.x) * f.shape.width;
  const float own = j < columns.end ? column[j] : 0.0f;
  const double sum = block_sum(double(fabsf(own)), room), members = block_sum(own != 0 ? 1.0 : 0.0, room);
  const float mean = members > 0 ? float(sum / members) : 1.0f;
  if (j < columns.end && members > 0) column[j] = own / mean;
  if (threadIdx.x == 0) factor[blockIdx.x] = mean;
}

void step(Device& device, const RankOne& f, int orders, int order, Step which) {
  const unsigned width = f.shape.width;
  const Grid grid{dim3(f.shape.tiles()), dim3(kThreads),
                  width * kPadded * 5 + (2 * f.groups * kWarps + f.groups) * 32 * sizeof(float)};
  static constexpr void (*kKernels[])(RankOne, int, int, Step) = {step_kernel<1>, step_kernel<2>,
                                                                  step_kernel<3>, step_kernel<4>};
  launch(device, kKernels[f.groups - 1], grid, f, orders, order, which);
  launch(device, solve_kernel, Grid{dim3(parts(f.groups * width, 32)), dim3(kThreads)}, f, order,
         which == Step::Start);
}

}  // namespace

void start_rank_one(Device& device, const RankOne& fit) { step(device, fit, 1, 0, Step::Start); }

void fit_rank_one(Device& device, const RankOne& fit, int orders, int iterations) {
  start_rank_one(device, fit);
  if (orders == 1) {
    for (int i = 0; i < iterations; ++i) step(device, fit, 1, 0, Step::Update);
    return;
  }
  step(device, fit, 2, 1, Step::Start);
  for (int i = 0; i < iterations; ++i) {
    step(device, fit, 2, 0, i > 0 ? Step::AssignAndUpdate : Step::Update);
    step(device, fit, 2, 1, Step::Update);
  }
  if (iterations > 0) launch(device, assign_kernel, Grid{dim3(fit.shape.tiles()), dim3(kThreads)}, fit);
}

void rank_one_residual(Device& device, const RankOne& fit, float* left) {
  launch(device, residual_kernel, Grid{dim3(fit.shape.tiles()), dim3(kThreads)}, fit, left);
}

void normalize(Device& device, const RankOne& fit, int order, float* factor) {
  launch(device, normalize_kernel, Grid{dim3(fit.groups), dim3(kThreads)}, fit, order, factor);
}

}  // namespace signum::cuda
