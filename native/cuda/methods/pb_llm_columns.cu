#include "cuda/math/sums.h"
#include "cuda/methods/grid_lanes.h"
#include "cuda/methods/pb_llm_columns.h"
#include "cuda/methods/propagation.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;
constexpr size_t kPart = 128;  // columns whose sum is made by itself, as on the CPU

__global__ void column_weight_kernel(DeviceView<const float> r, const uint8_t* dead, bool hessian,
                                     float* out) {
  const size_t j = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (j < r.columns) out[j] = dead[j] ? 0.0f : hessian ? r.data[j * (r.stride + 1)] : 1.0f;
}

// sum of term(j), j < width: parts in lanes, each in order, then the parts in order.
template <class Term>
__device__ float sum_in_parts(size_t width, const Term& term) {
  const unsigned lane = threadIdx.x % 32;
  const size_t count = (width + kPart - 1) / kPart;
  float sum = 0;
  for (size_t first = 0; first < count; first += 32) {
    const size_t begin = (first + lane) * kPart;
    float part = 0;
    for (size_t j = begin; j < width && j < begin + kPart; ++j) part = part + term(j);
    for (unsigned l = 0; l < 32 && first + l < count; ++l) sum = sum + warp_from(part, l);
  }
  return sum;
}

__device__ float mean_or_zero(float sum, float count) { return count > 0 ? sum / fmaxf(count, 1.0f) : 0.0f; }

// A warp a group of a row.
__global__ void levels_kernel(PbLlmProblem problem, const float* weight, const uint8_t* dead,
                              bool members_only, DType type, float* mean, float* scale) {
  const size_t index = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (index >= problem.rows * problem.groups) return;
  const size_t row = index / problem.groups, begin = index % problem.groups * problem.group;
  const size_t rest = problem.columns - begin, width = rest < problem.group ? rest : problem.group;
  const size_t at = row * problem.columns + begin;
  const auto kept = [&](size_t j) { return problem.salient[at + j] != 0; };
  const auto binarized = [&](size_t j) { return kept(j) || dead[begin + j] ? 0.0f : weight[at + j]; };
  const float sum = sum_in_parts(width, binarized);
  const float count =
      members_only ? sum_in_parts(width, [&](size_t j) { return kept(j) ? 0.0f : 1.0f; }) : float(width);
  const float center = mean_or_zero(sum, count);
  const float distances = sum_in_parts(
      width, [&](size_t j) { return members_only && kept(j) ? 0.0f : fabsf(binarized(j) - center); });
  if (threadIdx.x % 32 == 0) {
    mean[index] = as_stored(type, center);
    scale[index] = as_stored(type, mean_or_zero(distances, count));
  }
}

struct PbLlmRule {
  PbLlmProblem problem;
  size_t start;
  float highest;
  const float *means, *scales, *steps, *zeros;

  struct Row {
    const uint8_t* salient;
    const float *mean_at, *scale_at;  // of the next group
    unsigned next;                    // the column where it begins
    float mean, scale;
    GridStep grid;
  };

  __device__ Row begin(size_t row) const {
    const size_t at = row * problem.groups + start / problem.group;
    return {problem.salient + row * problem.columns + start,
            means + at,
            scales + at,
            0,
            0,
            0,
            {steps[row], zeros[row]}};
  }
  template <unsigned kSlots>
  __device__ void reach(Row& row, unsigned j, unsigned width, const float (&)[kSlots]) const {
    if (j != row.next) return;
    row.mean = *row.mean_at++;
    row.scale = *row.scale_at++;
    const size_t rest = problem.group - (start + j) % problem.group;
    row.next = rest < width ? j + unsigned(rest) : width;
  }
  __device__ float value(const Row& row, unsigned j, float w, unsigned& code) const {
    const bool plus = w >= row.mean;
    if (row.salient[j]) {
      const float nearest = grid_code(w, row.grid, highest);
      code = unsigned(nearest);
      return grid_value(nearest, row.grid);
    }
    code = plus ? unsigned((highest + 1) / 2) : 0;
    return row.mean + (plus ? row.scale : -row.scale);
  }
  __device__ void add(Row&, float) const {}
  __device__ void end(const Row&) const {}
};

__global__ void counts_kernel(PbLlmProblem problem, unsigned* counts) {
  const size_t row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= problem.rows) return;
  unsigned count = 0;
  for (size_t j = threadIdx.x % 32; j < problem.columns; j += 32)
    count += problem.salient[row * problem.columns + j];
  count = warp_sum(count);
  if (threadIdx.x % 32 == 0) counts[row] = count;
}

// One warp.
__global__ void starts_kernel(size_t rows, const unsigned* counts, unsigned* starts) {
  const unsigned lane = threadIdx.x;
  unsigned before = 0;
  for (size_t begin = 0; begin < rows; begin += 32) {
    const bool is = begin + lane < rows;
    const unsigned own = is ? counts[begin + lane] : 0;
    unsigned through = own;
    for (unsigned distance = 1; distance < 32; distance *= 2) {
      const unsigned lower = warp_up(through, distance);
      if (lane >= distance) through += lower;
    }
    if (is) starts[begin + lane] = before + through - own;
    before += warp_from(through, 31);
  }
}

// A warp a row.
__global__ void order_kernel(PbLlmProblem problem, const uint8_t* codes, unsigned below, SalientOrder out) {
  const unsigned lane = threadIdx.x % 32;
  const size_t row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= problem.rows) return;
  size_t next = out.starts[row];
  for (size_t begin = 0; begin < problem.columns; begin += 32) {
    const size_t j = begin + lane, at = row * problem.columns + j;
    const bool is = j < problem.columns && problem.salient[at];
    const unsigned all = warp_ballot(is);
    const size_t k = next + unsigned(__popc(all & ((1u << lane) - 1)));
    if (is) {
      out.columns[k] = uint32_t(j);
      out.codes[k] = uint8_t(codes[at] & below);
      if (out.high) {
        const size_t bit = k + row * out.zeros + (j >> out.low_bits);
        atomicOr(&out.high[bit / 32], 1u << bit % 32);
      }
    }
    next += unsigned(__popc(all));
  }
}

Grid warps(size_t count) { return {dim3(parts(count, kWarps)), dim3(32 * kWarps)}; }

}  // namespace

void salience_of_columns(Device& device, DeviceView<const float> r, const uint8_t* dead, bool hessian,
                         float* column_weight) {
  launch(device, column_weight_kernel, one_each(r.columns), r, dead, hessian, column_weight);
}

void pb_llm_levels(Device& device, const Recipe& recipe, const PbLlmProblem& problem, const float* weight,
                   const uint8_t* dead, float* mean, float* scale) {
  launch(device, levels_kernel, warps(problem.rows * problem.groups), problem, weight, dead,
         recipe.mean_rule == MeanRule::LeastSquares, recipe.scale_type, mean, scale);
}

void pb_llm_columns(Device& device, const Recipe& recipe, const PbLlmProblem& problem, size_t start,
                    const float* mean, const float* scale, const DeviceGrids& grids,
                    const BlockColumns& block) {
  propagate(
      device,
      PbLlmRule{problem, start, highest_code(recipe.bits), mean, scale, grids.step.data(), grids.zero.data()},
      block);
}

void count_salient(Device& device, const PbLlmProblem& problem, unsigned* counts, unsigned* starts) {
  launch(device, counts_kernel, warps(problem.rows), problem, counts);
  launch(device, starts_kernel, Grid{dim3(1), dim3(32)}, problem.rows, counts, starts);
}

void order_salient(Device& device, const Recipe& recipe, const PbLlmProblem& problem, const uint8_t* codes,
                   const SalientOrder& out) {
  launch(device, order_kernel, warps(problem.rows), problem, codes, (1u << (recipe.bits - 1)) - 1, out);
}

}  // namespace signum::cuda
