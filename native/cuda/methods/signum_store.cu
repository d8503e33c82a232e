#include "cuda/math/sums.h"
#include "cuda/methods/rounding.h"
#include "cuda/methods/signum_store.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;

__global__ void keep_kernel(const double* costs, int index, PlaneCounts counts, size_t width,
                            SignumScales now, const uint8_t* codes, SignumScales best, uint8_t* best_codes) {
  double least = costs[0];
  for (int k = 1; k < index; ++k) least = costs[k] < least ? costs[k] : least;
  if (index > 0 && !(costs[index] < least)) return;
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < now.rows * width) best_codes[i] = codes[i];
  for (unsigned k = 0; k < counts.planes(); ++k) {
    if (i < now.rows) best.row_of(k)[i] = now.row_of(k)[i];
    if (i < counts.of[k]) best.column_of(k)[i] = now.column_of(k)[i];
  }
}

// A warp a plane. Row and column scales share a free factor: mean |column scale| = 1. The mean is left behind
// the last column for the rows.
__global__ void columns_kernel(SignumLinear linear, size_t start, PlaneCounts counts, SignumScales scales,
                               float* mean) {
  const unsigned lane = threadIdx.x, k = blockIdx.x, n = counts.of[k];
  float* column = scales.column_of(k);
  double sum = 0;
  for (unsigned j = lane; j < n; j += 32) sum += double(fabsf(column[j]));
  sum = warp_sum(sum);
  const float own = sum == 0 ? 1.0f : float(sum / double(n));
  for (unsigned j = lane; j < n; j += 32)
    linear.column_scale[k][start + j] = column[j] = as_stored(linear.type, column[j] / own);
  if (lane == 0) mean[k] = own;
}

// A warp a row.
__global__ void rows_kernel(SignumLinear linear, size_t block, size_t start, PlaneCounts counts,
                            SignumScales scales, const float* mean, const uint8_t* codes,
                            DeviceView<float> quantized) {
  const unsigned lane = threadIdx.x % 32, planes = counts.planes();
  const size_t row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= scales.rows) return;
  float size[kPlanes] = {};
  for (unsigned k = 0; k < planes; ++k) {
    const float scale = scales.row_of(k)[row];
    size[k] = as_stored(linear.type, linear.column_scales ? scale * mean[k] : scale);
    if (lane == 0) linear.row_scale[k][row * linear.blocks[k] + block] = size[k];
  }
  const unsigned width = counts.of[0];
  for (unsigned j = lane; j < width; j += 32) {
    const uint8_t code = codes[row * width + j];
    float value = 0;
    for (unsigned k = 0; k < planes && j < counts.of[k]; ++k) {
      const float part = size[k] * scales.column_of(k)[j], signed_part = code >> k & 1 ? part : -part;
      value = k == 0 ? signed_part : value + signed_part;
    }
    quantized.data[row * quantized.stride + j] = value;
    linear.codes[row * linear.columns + start + j] = code;
  }
}

}  // namespace

void keep_better(Device& device, const double* costs, int index, const PlaneCounts& counts, size_t width,
                 const SignumScales& now, const uint8_t* codes, const SignumScales& best,
                 uint8_t* best_codes) {
  launch(device, keep_kernel, one_each(now.rows * width), costs, index, counts, width, now, codes, best,
         best_codes);
}

void store_block(Device& device, const SignumLinear& linear, size_t block, size_t start,
                 const PlaneCounts& counts, const SignumScales& scales, const uint8_t* codes,
                 DeviceView<float> quantized) {
  Array<float> mean(device, kPlanes, "means of scales");
  if (linear.column_scales)
    launch(device, columns_kernel, Grid{dim3(counts.planes()), dim3(32)}, linear, start, counts, scales,
           mean.data());
  launch(device, rows_kernel, Grid{dim3(parts(scales.rows, kWarps)), dim3(32 * kWarps)}, linear, block, start,
         counts, scales, mean.data(), codes, quantized);
}

}  // namespace signum::cuda
