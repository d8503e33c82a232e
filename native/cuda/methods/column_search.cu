#include <algorithm>

#include "cuda/methods/column_search.h"
#include "cuda/methods/row_lanes.h"

namespace signum::cuda {
namespace {

constexpr unsigned kSearchThreads = 256;
constexpr unsigned kPadded =
    kLaneRows + 1;  // rows of a tile in shared memory, so that columns meet no bank twice

// A tile a block, a column a thread: weights and T by lanes, and the scores' sums.
__global__ void load_kernel(ColumnSearch s, bool hessian, bool search_weights) {
  __shared__ float room[kMaxWidth * kPadded];
  __shared__ float largest_room[32];
  const unsigned width = s.shape.width, j = threadIdx.x;
  const size_t first_row = size_t(blockIdx.x) * kLaneRows;
  // 1 / U_jj times a power of two that keeps T and its squares inside F32.
  const float own = j < width ? s.r.data[j * s.r.stride + j] : 0.0f;
  int exponent = 0;
  frexpf(block_max(fmaxf(own, 0.0f), largest_room), &exponent);
  const float scale = ldexpf(own, -exponent);
  float sum = 0;
  if (j < width)
    for (unsigned lane = 0; lane < kLaneRows; ++lane) {
      const size_t row = first_row + lane;
      const float w = row < s.shape.rows ? s.weight.data[row * s.weight.stride + j] : 0.0f;
      const float scaled = w * scale;
      sum += fabsf(hessian ? scaled * scaled : w);
      room[j * kPadded + lane] = w;
    }
  if (j < width) s.partial[blockIdx.x * size_t(kMaxWidth) + j] = double(sum);
  __shared__ float scales[kMaxWidth];
  scales[j] = scale;
  __syncthreads();
  const size_t tile = size_t(blockIdx.x) * width * kLaneRows;
  for (unsigned i = j; i < width * kLaneRows; i += blockDim.x) {
    const unsigned column = i / kLaneRows;
    const float w = room[column * kPadded + i % kLaneRows], scaled = w * scales[column];
    s.unordered_weight[tile + i] = w;
    s.unordered_search[tile + i] = hessian && !search_weights ? scaled * scaled : w;
  }
}

// The columns by score, the rest behind the first `up` in their own order.
__global__ void order_kernel(ColumnSearch s, unsigned up) {
  __shared__ double room[kSumThreads];
  __shared__ uint8_t ahead[kMaxWidth];  // among the first `up`
  const unsigned width = s.shape.width, j = threadIdx.x;
  sum_tiles(s.partial, s.shape.tiles(), kMaxWidth, width, room);
  unsigned place = 0;
  if (j < width) {
    for (unsigned i = 0; i < width; ++i) place += room[i] > room[j] || (room[i] == room[j] && i < j);
    ahead[j] = place < up;
  }
  __syncthreads();
  if (j < width && place >= up) {
    place = up;
    for (unsigned i = 0; i < j; ++i) place += !ahead[i];
  }
  if (j < width) s.order[place] = j;
}

// Squared error of binarizing columns [begin, end) of a row in two orders, given the first mean
// (methods/search_kernels.cc).
__device__ float two_order_error(const float* t, Columns columns, float mean) {
  const float share = 1.0f / float(columns.count());
  const unsigned begin = columns.begin, end = columns.end;
  float larger[2] = {0, 0}, upper = 0;
  unsigned j = begin;
  const auto deviation = [&](unsigned k, float& sum) {
    const float x = t[k * kLaneRows];
    sum += fmaxf(x, mean);
    if (x >= mean) upper += 1;
  };
  for (; j + 4 <= end; j += 4) {
    deviation(j, larger[0]);
    deviation(j + 1, larger[1]);
    deviation(j + 2, larger[0]);
    deviation(j + 3, larger[1]);
  }
  for (; j < end; ++j) deviation(j, larger[0]);
  const float half = (larger[0] + larger[1]) * share - mean, alpha = half + half;
  const float balance = upper * share;
  const float center = fmaf(-alpha, balance + balance - 1.0f, mean);
  const float high = center + alpha, low = center - alpha;

  float sums[2] = {0, 0}, squares[2] = {0, 0};
  const auto distance = [&](unsigned k, unsigned chain) {
    const float v = t[k * kLaneRows], x = v >= mean ? v - high : v - low;
    sums[chain] += fabsf(x);
    squares[chain] = fmaf(x, x, squares[chain]);
  };
  for (j = begin; j + 4 <= end; j += 4) {
    distance(j, 0);
    distance(j + 1, 1);
    distance(j + 2, 0);
    distance(j + 3, 1);
  }
  for (; j < end; ++j) distance(j, 0);
  const float sum = sums[0] + sums[1];
  return fmaf(-(sum * sum), share, squares[0] + squares[1]);
}

// A tile and a share of the candidates a block, a candidate a warp.
__global__ void count_kernel(ColumnSearch s, unsigned up) {
  float* tile = shared_memory<float>();  // [width][32], columns in order
  const unsigned width = s.shape.width, lane = threadIdx.x % 32, warps = blockDim.x / 32;
  const float* from = s.unordered_search + size_t(blockIdx.x) * width * kLaneRows;
  for (unsigned i = threadIdx.x; i < width * kLaneRows; i += blockDim.x)
    tile[i] = from[s.order[i / kLaneRows] * kLaneRows + i % kLaneRows];
  __syncthreads();
  const float* t = tile + lane;
  for (unsigned c = 1 + blockIdx.y * warps + threadIdx.x / 32; c < up; c += gridDim.y * warps) {
    float sum = 0;
    for (unsigned j = 0; j < c; ++j) sum += t[j * kLaneRows];
    float error = two_order_error(t, {0, c}, sum * (1.0f / float(c)));
    sum = 0;
    for (unsigned j = width; j-- > c;) sum += t[j * kLaneRows];
    if (c < width) error += two_order_error(t, {c, width}, sum * (1.0f / float(width - c)));
    const double total = warp_sum(double(error));
    if (lane == 0) s.partial[blockIdx.x * size_t(kMaxWidth) + c] = total;
  }
}

// How many columns are salient, at least one, and the order: they first, each part ascending.
__global__ void choose_kernel(ColumnSearch s, unsigned up) {
  __shared__ double room[kSumThreads];
  __shared__ uint8_t is_salient[kMaxWidth];
  __shared__ unsigned salient;
  const unsigned width = s.shape.width, j = threadIdx.x;
  if (up > 2) sum_tiles(s.partial, s.shape.tiles(), kMaxWidth, up, room);
  if (j == 0) salient = up > 2 ? first_minimum(room, 1, up) : 1;
  __syncthreads();
  if (j < width) is_salient[s.order[j]] = j < salient;
  __syncthreads();
  if (j == 0) s.choice->salient = salient;
  if (j >= width) return;
  unsigned place = is_salient[j] ? 0 : salient;
  for (unsigned i = 0; i < j; ++i) place += is_salient[i] == is_salient[j];
  s.order[place] = j;
  s.salient[j] = is_salient[j];
}

__global__ void order_tiles_kernel(ColumnSearch s) {
  const unsigned width = s.shape.width;
  const size_t tile = size_t(blockIdx.x) * width * kLaneRows;
  for (unsigned i = threadIdx.x; i < width * kLaneRows; i += blockDim.x) {
    const size_t from = tile + s.order[i / kLaneRows] * kLaneRows + i % kLaneRows;
    s.ordered_weight[tile + i] = s.unordered_weight[from];
    s.ordered_search[tile + i] = s.unordered_search[from];
  }
}

__global__ void gram_kernel(DeviceView<const float> h, const uint32_t* order, float* gram) {
  const unsigned width = unsigned(h.columns);
  for (unsigned j = threadIdx.x; j < width; j += blockDim.x)
    gram[size_t(blockIdx.x) * width + j] = 0.5f * h.data[order[blockIdx.x] * h.stride + order[j]];
}

}  // namespace

void search_columns(Device& device, const Recipe& recipe, const ColumnSearch& s) {
  const unsigned tiles = s.shape.tiles(), width = s.shape.width;
  const unsigned up = unsigned(std::min<size_t>(recipe.max_salient, width));
  const bool hessian = recipe.salience == Salience::Hessian;
  launch(device, load_kernel, Grid{dim3(tiles), dim3(parts(width, 32) * 32)}, s, hessian,
         recipe.search_space == SearchSpace::Weights);
  launch(device, order_kernel, Grid{dim3(1), dim3(kSumThreads)}, s, up);
  if (up > 2) {
    const unsigned warps = kSearchThreads / 32;
    const unsigned shares = std::min(parts(up - 1, warps), parts(4 * device.multiprocessors(), tiles));
    launch(device, count_kernel,
           Grid{dim3(tiles, shares), dim3(kSearchThreads), width * kLaneRows * sizeof(float)}, s, up);
  }
  launch(device, choose_kernel, Grid{dim3(1), dim3(kSumThreads)}, s, up);
  launch(device, order_tiles_kernel, Grid{dim3(tiles), dim3(kSearchThreads)}, s);
}

void order_gram(Device& device, DeviceView<const float> h, const uint32_t* order, float* gram) {
  launch(device, gram_kernel, Grid{dim3(unsigned(h.rows)), dim3(128)}, h, order, gram);
}

}  // namespace signum::cuda
