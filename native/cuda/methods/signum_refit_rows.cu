// The half of signum_refit.h that goes row by row.
#include "cuda/math/sums.h"
#include "cuda/methods/signum_refit.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;
constexpr double kRowRidge = 1e-6;

struct Parts {
  float* of[kPlanes];
};
struct ConstParts {
  const float* of[kPlanes];
};

__global__ void signed_columns_kernel(SignumScales scales, PlaneCounts counts, const uint8_t* codes,
                                      size_t width, Parts parts) {
  const size_t i = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= scales.rows * width) return;
  const unsigned j = unsigned(i % width);
  for (unsigned k = 0; k < counts.planes(); ++k)
    parts.of[k][i] = j < counts.of[k] ? signed_value(codes[i], k, scales.column_of(k)[j]) : 0.0f;
}

__device__ double divided(double part, double whole) { return whole > 0 ? part / whole : 0.0; }
// Cramer's rule.
__device__ void solve_two(double a11, double a12, double a22, double b1, double b2, double& r1, double& r2) {
  const double determinant = fma(-a12, a12, a11 * a22);
  r1 = divided(fma(-a12, b2, a22 * b1), determinant);
  r2 = divided(fma(-a12, b1, a11 * b2), determinant);
}
// With three planes two steps of elimination first. 0 where a row has nothing to fit. a: lower triangle
__device__ void solve_row(const double (&a)[kPlanes][kPlanes], const double (&b)[kPlanes], unsigned planes,
                          double (&r)[kPlanes]) {
  if (planes == 1) {
    r[0] = divided(b[0], a[0][0]);
  } else if (planes == 2) {
    solve_two(a[0][0], a[1][0], a[1][1], b[0], b[1], r[0], r[1]);
  } else {  // without the first unknown
    const double f1 = divided(a[1][0], a[0][0]), f2 = divided(a[2][0], a[0][0]);
    solve_two(fma(-f1, a[1][0], a[1][1]), fma(-f1, a[2][0], a[2][1]), fma(-f2, a[2][0], a[2][2]),
              fma(-f1, b[0], b[1]), fma(-f2, b[0], b[2]), r[1], r[2]);
    r[0] = divided(fma(-a[2][0], r[2], fma(-a[1][0], r[1], b[0])), a[0][0]);
  }
}

// A warp a row.
__global__ void refit_rows_kernel(PlaneCounts counts, size_t width, const float* y, ConstParts v,
                                  SignumScales scales) {
  const unsigned lane = threadIdx.x % 32, planes = counts.planes();
  const size_t row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= scales.rows) return;
  double a[kPlanes][kPlanes] = {}, b[kPlanes] = {}, r[kPlanes] = {};
  for (size_t j = lane; j < width; j += 32) {
    const double target = y[row * width + j];
    double part[kPlanes] = {};
#pragma unroll
    for (unsigned k = 0; k < kPlanes; ++k) {
      if (k >= planes) continue;
      part[k] = v.of[k][row * width + j];
      b[k] = fma(part[k], target, b[k]);
#pragma unroll
      for (unsigned l = 0; l <= k; ++l) a[k][l] = fma(part[k], part[l], a[k][l]);
    }
  }
  double trace = 0;
#pragma unroll
  for (unsigned k = 0; k < kPlanes; ++k) {
    if (k >= planes) continue;
    b[k] = warp_sum(b[k]);
#pragma unroll
    for (unsigned l = 0; l <= k; ++l) a[k][l] = warp_sum(a[k][l]);
    trace += a[k][k];
  }
#pragma unroll
  for (unsigned k = 0; k < kPlanes; ++k) a[k][k] += kRowRidge * trace;
  solve_row(a, b, planes, r);
  if (lane == 0)
    for (unsigned k = 0; k < planes; ++k) scales.row_of(k)[row] = float(r[k]);
}

__global__ void row_squares_kernel(const float* y, size_t rows, size_t width, double* out) {
  const size_t row = size_t(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (row >= rows) return;
  double sum = 0;
  for (size_t j = threadIdx.x % 32; j < width; j += 32) {
    const double one = y[row * width + j];
    sum = fma(one, one, sum);
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) out[row] = sum;
}

Grid warps(size_t count) { return {dim3(parts(count, kWarps)), dim3(32 * kWarps)}; }

}  // namespace

void signed_columns(Device& device, const SignumScales& scales, const PlaneCounts& counts,
                    const uint8_t* codes, size_t width, float* const* parts_of) {
  launch(device, signed_columns_kernel, one_each(scales.rows * width), scales, counts, codes, width,
         Parts{{parts_of[0], parts_of[1], parts_of[2]}});
}

void refit_rows(Device& device, const PlaneCounts& counts, size_t rows, size_t width, const float* y,
                const float* const* v, const SignumScales& scales) {
  launch(device, refit_rows_kernel, warps(rows), counts, width, y, ConstParts{{v[0], v[1], v[2]}}, scales);
}

void row_squares(Device& device, const float* y, size_t rows, size_t width, double* row_square) {
  launch(device, row_squares_kernel, warps(rows), y, rows, width, row_square);
}

}  // namespace signum::cuda
