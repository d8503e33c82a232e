#include "cuda/methods/group_fits.h"
#include "cuda/methods/row_lanes.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8, kRows = 8;  // rows of S that a warp takes at once
constexpr float kTiny = 1e-10f;            // in the published denominators: a group without inputs gets 0

// A group's numbers of one row (methods/calibrated_fit.cc): its mean and kVectors - 1 scales, and with v[0] =
// m, 1 for members, v[1], v[2] = b1, b2 the products a(p, q) = v_p^T S v_q, b(p) = v_p^T S residual.
template <unsigned kVectors>
struct Numbers {
  float x[kVectors];
  float b[kVectors] = {};
  float a[kVectors][kVectors] = {};
};

template <unsigned kVectors>
struct Vectors {
  float v[kVectors], residual;
};

template <unsigned kVectors>
__device__ Vectors<kVectors> vectors_at(const GroupFit& f, size_t at, unsigned group,
                                        const float (&x)[kVectors]) {
  Vectors<kVectors> out;
  const bool member = f.group[at] == group;
  out.v[0] = member ? 1.0f : 0.0f;
  float residual = f.weight[at] - x[0];
#pragma unroll
  for (unsigned p = 1; p < kVectors; ++p) {
    const float sign = (p == 1 ? f.first : f.second)[at];
    out.v[p] = member ? sign : 0.0f;
    residual = fmaf(-x[p], sign, residual);
  }
  out.residual = member ? residual : 0.0f;
  return out;
}

// Adds what rows [i, i + kRows) of S contribute, those beyond `end` as zeros.
template <unsigned kVectors>
__device__ void add_rows(const GroupFit& f, const float* gram, size_t tile, Columns columns, unsigned group,
                         unsigned i, Numbers<kVectors>& n) {
  const unsigned width = f.shape.width;
  float product[kVectors][kRows];
#pragma unroll
  for (unsigned p = 0; p < kVectors; ++p)
#pragma unroll
    for (unsigned r = 0; r < kRows; ++r) product[p][r] = 0;
  for (unsigned j = columns.begin; j < columns.end; ++j) {
    const Vectors<kVectors> at = vectors_at<kVectors>(f, tile + j * kLaneRows, group, n.x);
#pragma unroll
    for (unsigned r = 0; r < kRows; ++r) {
      const float s = i + r < columns.end ? gram[size_t(i + r) * width + j] : 0.0f;
#pragma unroll
      for (unsigned p = 0; p < kVectors; ++p) product[p][r] = fmaf(s, at.v[p], product[p][r]);
    }
  }
#pragma unroll
  for (unsigned r = 0; r < kRows; ++r) {
    if (i + r >= columns.end) continue;
    const Vectors<kVectors> at = vectors_at<kVectors>(f, tile + (i + r) * kLaneRows, group, n.x);
#pragma unroll
    for (unsigned p = 0; p < kVectors; ++p) {
      n.b[p] = fmaf(product[p][r], at.residual, n.b[p]);
#pragma unroll
      for (unsigned q = p; q < kVectors; ++q) n.a[p][q] = fmaf(product[p][r], at.v[q], n.a[p][q]);
    }
  }
}

// The published updates as updates of the changes since the first phase, which need S only once.
template <unsigned kVectors>
__device__ void refine(Numbers<kVectors>& n, int iterations) {
  float change[kVectors], inverse[kVectors];
#pragma unroll
  for (unsigned p = 0; p < kVectors; ++p) {
    change[p] = 0;
    inverse[p] = 1.0f / (n.a[p][p] + kTiny);
    n.b[p] = fmaf(-kTiny, n.x[p], n.b[p]);
  }
  for (int iteration = 0; iteration < iterations; ++iteration)
#pragma unroll
    for (unsigned p = 0; p < kVectors; ++p) {
      float rest = n.b[p];
#pragma unroll
      for (unsigned q = 0; q < kVectors; ++q)
        if (q != p) rest = fmaf(-(p < q ? n.a[p][q] : n.a[q][p]), change[q], rest);
      change[p] = rest * inverse[p];
    }
#pragma unroll
  for (unsigned p = 0; p < kVectors; ++p) n.x[p] += change[p];
}

// One group of one tile by a block of kWarps warps, rows of S dealt out among them.
template <unsigned kVectors>
__device__ void fit_group(const GroupFit& f, const float* gram, int iterations, Part part, unsigned group,
                          unsigned mean_slot, unsigned scale_slot, float* room) {
  constexpr unsigned kSums = kVectors * (kVectors + 1);
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const size_t tile = size_t(blockIdx.x) * f.shape.width * kLaneRows + lane;
  const size_t slot = f.padded_rows(), row = size_t(blockIdx.x) * kLaneRows + lane;
  const Columns columns = columns_of(*f.choice, part, f.shape.width);
  Numbers<kVectors> n;
  n.x[0] = f.mean[mean_slot * slot + row];
#pragma unroll
  for (unsigned p = 1; p < kVectors; ++p) n.x[p] = f.scale[(scale_slot + p - 1) * slot + row];
  for (unsigned i = columns.begin + warp * kRows; i < columns.end; i += kWarps * kRows)
    add_rows(f, gram, tile, columns, group, i, n);
  float* own = room + warp * kSums * 32 + lane;
#pragma unroll
  for (unsigned p = 0; p < kVectors; ++p) {
    own[p * 32] = n.b[p];
#pragma unroll
    for (unsigned q = p; q < kVectors; ++q) own[(kVectors + p * kVectors + q) * 32] = n.a[p][q];
  }
  __syncthreads();
  if (warp != 0) return;
  const auto total = [&](unsigned k) {
    float sum = 0;
    for (unsigned w = 0; w < kWarps; ++w) sum += room[(w * kSums + k) * 32 + lane];
    return sum;
  };
#pragma unroll
  for (unsigned p = 0; p < kVectors; ++p) {
    n.b[p] = total(p);
#pragma unroll
    for (unsigned q = p; q < kVectors; ++q) n.a[p][q] = total(kVectors + p * kVectors + q);
  }
  refine(n, iterations);
  f.mean[mean_slot * slot + row] = n.x[0];
#pragma unroll
  for (unsigned p = 1; p < kVectors; ++p) f.scale[(scale_slot + p - 1) * slot + row] = n.x[p];
}

// A tile and a group a block: the salient groups, then the others.
__global__ void calibrated_kernel(GroupFit f, const float* gram, int iterations) {
  __shared__ float room[kWarps * 12 * 32];
  const unsigned salient_groups = f.salient_splits + 1, group = blockIdx.y;
  if (group < salient_groups)
    fit_group<3>(f, gram, iterations, Part::Salient, group, group, 2 * group, room);
  else
    fit_group<2>(f, gram, iterations, Part::Others, group - salient_groups, group, salient_groups + group,
                 room);
}

}  // namespace

void fit_calibrated(Device& device, const GroupFit& fit, const float* gram, int iterations) {
  launch(device, calibrated_kernel,
         Grid{dim3(fit.shape.tiles(), fit.salient_groups() + fit.groups()), dim3(kWarps * 32)}, fit, gram,
         iterations);
}

}  // namespace signum::cuda
