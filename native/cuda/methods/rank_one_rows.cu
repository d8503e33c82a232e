// ARB-RC's alternation over rows (methods/rank_one_kernels.h) with one group: a warp a row, sums for the
// column scales in bands of rows, then over the bands in F64.
#include "cuda/math/sums.h"
#include "cuda/methods/signum_fit.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;
constexpr unsigned kBandRows = 32;  // of a thread block
constexpr float kEpsilon = 1e-8f;

__device__ float sign_of(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; }
__device__ uint8_t packed_signs(float first, float second) {
  return uint8_t(int(first) + 1 + 4 * (int(second) + 1));
}
__device__ float first_sign(uint8_t signs) { return float(int(signs & 3) - 1); }
__device__ float second_sign(uint8_t signs) { return float(int(signs >> 2) - 1); }

// (s1, s2) = nearest of {-p-q, -p+q, p-q, p+q} to x, ties to the first.
__device__ void nearest_of_four(float x, float p, float q, float& s1, float& s2) {
  const float sum = p + q, difference = p - q;
  float best = fabsf(x + sum);
  s1 = s2 = -1;
  const auto better = [&](float distance, float first, float second) {
    if (!(distance < best)) return;
    best = distance;
    s1 = first;
    s2 = second;
  };
  better(fabsf(x + difference), -1, 1);
  better(fabsf(x - difference), 1, -1);
  better(fabsf(x - sum), 1, 1);
}

// One half-step: the scales of one order from x minus the other order.
struct HalfStep {
  RankOneRows p;
  unsigned order, columns;  // columns of this order
  bool start;               // from absolute values; else least squares
  bool assign;              // the signs anew before it
};

template <unsigned kSlots>
__global__ void half_step_kernel(HalfStep step) {
  const RankOneRows& p = step.p;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, width = unsigned(p.x.columns);
  const bool two = p.second_columns > 0;
  float* const own_row = step.order == 0 ? p.row[0] : p.row[1];
  const float* const own_column = step.order == 0 ? p.column[0] : p.column[1];
  float numerator[kSlots] = {}, denominator[kSlots] = {};
  for (unsigned i = warp; i < kBandRows; i += kWarps) {
    const size_t row = size_t(blockIdx.x) * kBandRows + i;
    if (row >= p.x.rows) break;
    const float row1 = p.row[0][row], row2 = two ? p.row[1][row] : 0;
    float value[kSlots], sign[kSlots], product = 0, square = 0;
#pragma unroll
    for (unsigned s = 0; s < kSlots; ++s) {
      const unsigned j = s * 32 + lane;
      value[s] = sign[s] = 0;
      if (j >= width) continue;
      const float x = p.x.data[row * p.x.stride + j];
      float s1 = sign_of(x), s2 = 0;
      value[s] = x;
      if (two && !(step.start && step.order == 0)) {
        uint8_t* signs = p.signs + row * width + j;
        const float scale1 = row1 * p.column[0][j];
        if (step.start) {
          value[s] = x - scale1 * s1;
          s2 = sign_of(value[s]);
          *signs = packed_signs(s1, s2);
        } else {
          const float scale2 = row2 * p.column[1][j];
          if (step.assign) {
            nearest_of_four(x, scale1, scale2, s1, s2);
            *signs = packed_signs(s1, s2);
          } else {
            s1 = first_sign(*signs);
            s2 = second_sign(*signs);
          }
          value[s] = step.order == 0 ? fmaf(-scale2, s2, x) : fmaf(-scale1, s1, x);
        }
      }
      if (j >= step.columns) {
        value[s] = 0;
        continue;
      }
      sign[s] = step.order == 0 ? s1 : s2;
      if (step.start) {
        product += fabsf(value[s]);
      } else {
        const float signed_column = own_column[j] * sign[s];
        product = fmaf(signed_column, value[s], product);
        square = fmaf(signed_column, signed_column, square);
      }
    }
    product = warp_sum(product);
    square = warp_sum(square);
    const float own = step.start ? product / float(step.columns) : product / (square + kEpsilon);
    if (lane == 0) own_row[row] = own;
    const float inverse = own > 0 ? 1.0f / own : 0.0f, counted = own > 0 ? 1.0f : 0.0f;
#pragma unroll
    for (unsigned s = 0; s < kSlots; ++s) {
      if (step.start) {
        numerator[s] += fabsf(value[s]) * inverse;
        denominator[s] += counted;
      } else {
        const float signed_row = own * sign[s];
        numerator[s] = fmaf(signed_row, value[s], numerator[s]);
        denominator[s] = fmaf(signed_row, signed_row, denominator[s]);
      }
    }
  }
  if (!p.column_scales) return;
  __shared__ float of_warp[kWarps][2][kMostWidth];
#pragma unroll
  for (unsigned s = 0; s < kSlots; ++s) {
    of_warp[warp][0][s * 32 + lane] = numerator[s];
    of_warp[warp][1][s * 32 + lane] = denominator[s];
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < 2 * step.columns; i += blockDim.x) {
    const unsigned part = i / step.columns, j = i % step.columns;
    float sum = 0;
    for (unsigned w = 0; w < kWarps; ++w) sum += of_warp[w][part][j];
    p.room[(size_t(blockIdx.x) * 2 + part) * kMostWidth + j] = sum;
  }
}

// A warp a column.
__global__ void columns_kernel(const float* room, size_t bands, bool start, float* column) {
  const unsigned lane = threadIdx.x;
  const size_t j = blockIdx.x;
  double numerator = 0, denominator = 0;
  for (size_t b = lane; b < bands; b += 32) {
    numerator += double(room[b * 2 * kMostWidth + j]);
    denominator += double(room[(b * 2 + 1) * kMostWidth + j]);
  }
  numerator = warp_sum(numerator);
  denominator = warp_sum(denominator);
  if (lane == 0)
    column[j] =
        float(start ? (denominator > 0 ? numerator / denominator : 0.0) : numerator / (denominator + 1e-8));
}

__global__ void prepare_kernel(RankOneRows p) {
  const unsigned j = threadIdx.x;
  if (j >= p.x.columns) return;
  p.column[0][j] = 1;
  if (p.second_columns > 0) p.column[1][j] = j < p.second_columns ? 1.0f : 0.0f;
}

__global__ void rest_kernel(RankOneRows p, DeviceView<float> rest) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= rest.rows * rest.columns) return;
  const size_t row = i / rest.columns, j = i % rest.columns;
  const float x = p.x.data[row * p.x.stride + j];
  float s1, s2;
  nearest_of_four(x, p.row[0][row] * p.column[0][j], p.row[1][row] * p.column[1][j], s1, s2);
  const float left = x - s1 * p.row[0][row] * p.column[0][j];
  rest.data[row * rest.stride + j] = left - s2 * p.row[1][row] * p.column[1][j];
}

void half_step(Device& device, const HalfStep& step) {
  const RankOneRows& p = step.p;
  const size_t bands = (p.x.rows + kBandRows - 1) / kBandRows;
  const Grid grid{dim3(unsigned(bands)), dim3(32 * kWarps)};
  if (p.x.columns <= 128)
    launch(device, half_step_kernel<4>, grid, step);
  else
    launch(device, half_step_kernel<8>, grid, step);
  if (p.column_scales)
    launch(device, columns_kernel, Grid{dim3(step.columns), dim3(32)}, p.room, bands, step.start,
           p.column[step.order]);
}

}  // namespace

size_t rank_one_room(size_t rows) { return (rows + kBandRows - 1) / kBandRows * 2 * kMostWidth; }

void fit_rank_one(Device& device, const RankOneRows& p, int iterations) {
  const unsigned width = unsigned(p.x.columns), second = p.second_columns;
  launch(device, prepare_kernel, Grid{dim3(1), dim3(kMostWidth)}, p);
  half_step(device, {p, 0, width, true, false});
  if (second > 0) half_step(device, {p, 1, second, true, false});
  for (int i = 0; i < iterations; ++i) {
    // The last iteration's signs are made where they are needed next.
    half_step(device, {p, 0, width, false, i > 0});
    if (second > 0) half_step(device, {p, 1, second, false, false});
  }
}

void rank_one_rest(Device& device, const RankOneRows& p, DeviceView<float> rest) {
  launch(device, rest_kernel, one_each(rest.rows * rest.columns), p, rest);
}

}  // namespace signum::cuda
