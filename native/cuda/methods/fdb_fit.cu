#include "cuda/methods/fdb_fit.h"
#include "cuda/methods/rounding.h"
#include "methods/fdb_step.h"

namespace signum::cuda {
namespace {

constexpr unsigned kRows = 32;          // of a tile: a warp
constexpr unsigned kPitch = kRows + 1;  // columns of a tile lie so far apart: no bank twice

struct Scales {
  float a1, a2;
};
struct Sums {
  float error, ones1, ones2, both, with1, with2;
};

// Distance to the nearest level, and which planes make it: ties to 0, a1, a2, a1 + a2 in this order.
__device__ float nearest(float w, Scales scales, bool& in1, bool& in2) {
  float best = fabsf(w), distance = fabsf(w - scales.a1);
  in1 = distance < best;
  best = in1 ? distance : best;
  distance = fabsf(w - scales.a2);
  in2 = distance < best;
  best = in2 ? distance : best;
  in1 = in1 && !in2;
  distance = fabsf(w - (scales.a1 + scales.a2));
  if (distance < best) {
    in1 = in2 = true;
    best = distance;
  }
  return best;
}

// One row of a group: weights kPitch apart.
struct Row {
  const float *weight, *importance;
  unsigned width;

  __device__ Sums sums(Scales scales) const {
    Sums s = {};
    for (unsigned j = 0; j < width; ++j) {
      const float w = weight[j * kPitch], h = importance[j], hw = h * w;
      bool in1, in2;
      const float distance = nearest(w, scales, in1, in2);
      s.error = s.error + h * (distance * distance);
      s.ones1 = s.ones1 + (in1 ? h : 0.0f);
      s.ones2 = s.ones2 + (in2 ? h : 0.0f);
      s.both = s.both + (in1 && in2 ? h : 0.0f);
      s.with1 = s.with1 + (in1 ? hw : 0.0f);
      s.with2 = s.with2 + (in2 ? hw : 0.0f);
    }
    return s;
  }
  __device__ float error(Scales scales) const {
    float sum = 0;
    for (unsigned j = 0; j < width; ++j) {
      bool in1, in2;
      const float distance = nearest(weight[j * kPitch], scales, in1, in2);
      sum = sum + importance[j] * (distance * distance);
    }
    return sum;
  }
};

// a1 = 2 s, a2 = -s with s of either sign; the first of the best, max|w| / 2 before all others.
__device__ Scales first_scales(const Row& row, bool search, DType type) {
  float largest = 0;
  for (unsigned j = 0; j < row.width; ++j) largest = fmaxf(largest, fabsf(row.weight[j * kPitch]));
  Scales best = {};
  float least = 0;
  const auto consider = [&](float steps, bool anyway) {
    const float step = steps * 0.5f * largest;
    const Scales trial{as_stored(type, 0.0f + 2 * step), as_stored(type, 0.0f - step)};
    const float error = row.error(trial);
    if (anyway || error < least) {
      least = error;
      best = trial;
    }
  };
  consider(1, true);
  consider(-1, false);
  if (search)
    for (int eighths = kLeastStepEighths; eighths <= kMostStepEighths; ++eighths) {
      consider(float(eighths) / 8, false);
      consider(-float(eighths) / 8, false);
    }
  return best;
}

__device__ Scales fitted(const Row& row, bool search, DType type) {
  Scales scales = first_scales(row, search, type);
  Sums sums = row.sums(scales);
  for (int round = 0; round < kFdbRounds; ++round) {
    double a1 = scales.a1, a2 = scales.a2;
    fdb_refit(sums.ones1, sums.ones2, sums.both, sums.with1, sums.with2, a1, a2);
    const Scales trial{as_stored(type, float(a1)), as_stored(type, float(a2))};
    const Sums trial_sums = row.sums(trial);
    // Rounding to the storage type may cost more than the refit brought: then the row is done.
    if (!(trial_sums.error < sums.error)) break;
    scales = trial;
    sums = trial_sums;
  }
  return scales;
}

struct Places {
  size_t column, group, groups, codes_stride;
  const float* importance;
  float *first, *second;
  uint8_t* codes;
};

// A warp: 32 rows of one group.
__global__ void fit_kernel(DeviceView<const float> weight, bool search, DType type, Places places,
                           DeviceView<const float> r, DeviceView<float> error) {
  float* tile = shared_memory<float>();  // [width][kPitch]
  const unsigned lane = threadIdx.x;
  const size_t row = size_t(blockIdx.x) * kRows, begin = blockIdx.y * places.group;
  const unsigned rows = unsigned(weight.rows - row < kRows ? weight.rows - row : kRows);
  const size_t rest = weight.columns - begin;
  const unsigned width = unsigned(rest < places.group ? rest : places.group);
  for (unsigned i = 0; i < kRows; ++i)
    for (unsigned j = lane; j < width; j += 32)
      tile[j * kPitch + i] = i < rows ? weight.data[(row + i) * weight.stride + begin + j] : 0.0f;
  warp_barrier();

  const Row own{tile + lane, places.importance + places.column + begin, width};
  const Scales scales = fitted(own, search, type);
  if (lane < rows) {
    const size_t at = (row + lane) * places.groups + (places.column + begin) / places.group;
    places.first[at] = scales.a1;
    places.second[at] = scales.a2;
  }
  for (unsigned i = 0; i < rows; ++i) {
    const Scales its{warp_from(scales.a1, i), warp_from(scales.a2, i)};
    for (unsigned j = lane; j < width; j += 32) {
      const float w = tile[j * kPitch + i];
      bool in1, in2;
      nearest(w, its, in1, in2);
      places.codes[(row + i) * places.codes_stride + places.column + begin + j] = uint8_t(in1 + 2 * in2);
      if (!error.data) continue;
      const float value = (in1 ? its.a1 : 0.0f) + (in2 ? its.a2 : 0.0f);
      error.data[(row + i) * error.stride + begin + j] = (w - value) * r.data[(begin + j) * (r.stride + 1)];
    }
  }
}

}  // namespace

void fdb_fit(Device& device, const Recipe& recipe, DeviceView<const float> weight, size_t column,
             const float* importance, FdbPlanes& planes, DeviceView<const float> r, DeviceView<float> error) {
  const size_t groups = (weight.columns + planes.group - 1) / planes.group;
  const Places places{column,
                      planes.group,
                      planes.groups,
                      planes.codes.size() / weight.rows,
                      importance,
                      planes.scales.data(),
                      planes.scales.data() + weight.rows * planes.groups,
                      planes.codes.data()};
  const Grid grid{dim3(parts(weight.rows, kRows), unsigned(groups)), dim3(kRows),
                  planes.group * kPitch * sizeof(float)};
  launch(device, fit_kernel, grid, weight, recipe.step_rule != StepRule::Max, recipe.scale_type, places, r,
         error);
}

}  // namespace signum::cuda
