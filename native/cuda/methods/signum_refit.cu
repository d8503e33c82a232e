#include "cuda/math/gemm.h"
#include "cuda/math/sums.h"
#include "cuda/math/triangular.h"
#include "cuda/methods/signum_refit.h"

namespace signum::cuda {
namespace {

constexpr unsigned kWarps = 8;
constexpr size_t kPanelRows = 64;             // whose products are summed by themselves
constexpr size_t kGramRows = 8 * kPanelRows;  // whose sums are added up in F32, as on the CPU
constexpr double kColumnRidge = 1e-4;

// signs [rows, unknowns] out: the signs times the row scales, one plane's columns after another's. sides
// [bands][stride] out: their products with y_back, of kPanelRows rows each. A thread an unknown.
__global__ void signed_rows_kernel(SignumScales scales, PlaneCounts counts, const uint8_t* codes,
                                   size_t width, const float* y_back, float* signs, size_t stride,
                                   double* sides) {
  const unsigned unknown = blockIdx.x * blockDim.x + threadIdx.x;
  if (unknown >= counts.unknowns()) return;
  const unsigned k = counts.plane_of(unknown), j = unknown - counts.first(k);
  const float* row_scale = scales.row_of(k);
  const size_t first = blockIdx.y * kPanelRows;
  double sum = 0;
  for (size_t row = first; row < first + kPanelRows && row < scales.rows; ++row) {
    const float value = signed_value(codes[row * width + j], k, row_scale[row]);
    signs[row * stride + unknown] = value;
    sum = fma(double(value), double(y_back[row * width + j]), sum);
  }
  sides[blockIdx.y * stride + unknown] = sum;
}

// a [unknowns, unknowns], b [unknowns] out.
__global__ void system_kernel(PlaneCounts counts, const float* grams, size_t bands, const double* sides,
                              size_t side_bands, size_t stride, const float* metric, size_t width, double* a,
                              double* b) {
  const size_t n = counts.unknowns(), at = size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= n * n) return;
  const unsigned i = unsigned(at / n), j = unsigned(at % n);
  double sum = 0;
  for (size_t band = 0; band < bands; ++band) sum += double(grams[band * n * n + at]);
  const unsigned row = i - counts.first(counts.plane_of(i)), column = j - counts.first(counts.plane_of(j));
  a[at] = sum * double(metric[row * width + column]);
  if (j != 0) return;
  sum = 0;
  for (size_t band = 0; band < side_bands; ++band) sum += sides[band * stride + i];
  b[i] = sum;
}

__device__ float& scale_of(const SignumScales& scales, const PlaneCounts& counts, unsigned unknown) {
  const unsigned k = counts.plane_of(unknown);
  return scales.column_of(k)[unknown - counts.first(k)];
}

// What is solved: scales that are not zero, with the ridge; of the others nothing but a one.
__global__ void ridge_kernel(SignumScales scales, PlaneCounts counts, const double* a, const double* b,
                             double* small, double* x) {
  __shared__ double room[32];
  const unsigned n = counts.unknowns(), i = blockIdx.x;
  double trace = 0, live = 0;
  for (unsigned d = threadIdx.x; d < n; d += blockDim.x)
    if (scale_of(scales, counts, d) != 0) {
      trace += a[size_t(d) * n + d];
      live += 1;
    }
  trace = block_sum(trace, room);
  live = block_sum(live, room);
  const double ridge = live > 0 ? kColumnRidge * (trace / live) : 0;
  const bool is = scale_of(scales, counts, i) != 0;
  for (unsigned j = threadIdx.x; j < n; j += blockDim.x) {
    const bool both = is && scale_of(scales, counts, j) != 0;
    double value = both ? a[size_t(i) * n + j] : 0.0;
    if (i == j) value = is ? value + ridge : 1.0;
    small[size_t(i) * n + j] = value;
  }
  if (threadIdx.x == 0) x[i] = is ? b[i] : 0.0;
}

// L L^T x = b with l [n, n] lower triangular; one warp. Rows of L are read, x lies in shared memory.
__global__ void solve_kernel(const double* l, const double* b, SignumScales scales, PlaneCounts counts) {
  double* x = shared_memory<double>();
  const unsigned lane = threadIdx.x, n = counts.unknowns();
  bool broken = false;
  for (unsigned i = lane; i < n; i += 32) {
    x[i] = b[i];
    broken = broken || !(l[size_t(i) * n + i] > 0);
  }
  if (warp_ballot(broken) != 0) return;
  warp_barrier();
  for (unsigned i = 0; i < n; ++i) {
    const double* row = l + size_t(i) * n;
    double sum = 0;
    for (unsigned j = lane; j < i; j += 32) sum = fma(row[j], x[j], sum);
    sum = warp_sum(sum);
    if (lane == 0) x[i] = (x[i] - sum) / row[i];
    warp_barrier();
  }
  for (unsigned i = n; i-- > 0;) {
    const double* row = l + size_t(i) * n;
    const double value = x[i] / row[i];
    warp_barrier();
    for (unsigned j = lane; j < i; j += 32) x[j] = fma(-row[j], value, x[j]);
    if (lane == 0) x[i] = value;
    warp_barrier();
  }
  for (unsigned i = lane; i < n; i += 32) {
    float& scale = scale_of(scales, counts, i);
    if (scale != 0) scale = float(x[i]);
  }
}

// A warp an unknown: its share of c^T A c - 2 b^T c.
__global__ void cost_kernel(SignumScales scales, PlaneCounts counts, const double* a, const double* b,
                            double* parts) {
  const unsigned lane = threadIdx.x % 32, n = counts.unknowns();
  const unsigned i = blockIdx.x * kWarps + threadIdx.x / 32;
  if (i >= n) return;
  double sum = 0;
  for (unsigned j = lane; j < n; j += 32)
    sum = fma(a[size_t(i) * n + j], double(scale_of(scales, counts, j)), sum);
  sum = warp_sum(sum);
  if (lane == 0) parts[i] = double(scale_of(scales, counts, i)) * (sum - 2 * b[i]);
}

__global__ void sum_kernel(const double* parts, size_t count, const double* plus, double* sum) {
  __shared__ double room[32];
  double own = 0;
  for (size_t i = threadIdx.x; i < count; i += blockDim.x) own += parts[i];
  own = block_sum(own, room);
  if (threadIdx.x == 0) *sum = (plus ? *plus : 0.0) + own;
}

Grid warps(size_t count) { return {dim3(parts(count, kWarps)), dim3(32 * kWarps)}; }
size_t padded_rows(size_t rows) {
  return rows <= kGramRows ? rows : (rows + kGramRows - 1) / kGramRows * kGramRows;
}

}  // namespace

ColumnRefit::ColumnRefit(Card& card, size_t rows, size_t most)
    : card_(card),
      rows_(rows),
      most_(most),
      bands_(padded_rows(rows) / std::min(rows, kGramRows)),
      side_bands_((rows + kPanelRows - 1) / kPanelRows),
      signs_(card.device, padded_rows(rows) * most, "refitting column scales"),
      grams_(card.device, bands_ * most * most, "refitting column scales"),
      sides_(card.device, side_bands_ * most, "refitting column scales"),
      a_(card.device, most * most, "refitting column scales"),
      b_(card.device, most, "refitting column scales"),
      small_(card.device, most * most, "refitting column scales"),
      x_(card.device, most, "refitting column scales") {
  signs_.fill(0);  // rows beyond the last one
}

void ColumnRefit::system(const SignumScales& scales, const PlaneCounts& counts, const uint8_t* codes,
                         size_t width, const float* y_back, const float* metric) {
  const size_t n = counts.unknowns(), rows = std::min(rows_, kGramRows);
  const Grid grid{dim3(parts(n, 128), unsigned(side_bands_)), dim3(128)};
  launch(card_.device, signed_rows_kernel, grid, scales, counts, codes, width, y_back, signs_.data(), most_,
         sides_.data());
  own::Product<float, float> product;
  product.a_transposed = true;
  product.m = product.n = n;
  product.lda = product.ldb = most_;
  product.c = grams_.data();
  product.ldc = n;
  product.count = bands_;
  product.a_step = product.b_step = rows * most_;
  product.c_step = n * n;
  for (size_t first = 0; first < rows; first += kPanelRows) {
    product.k = std::min(kPanelRows, rows - first);
    product.a = product.b = signs_.data() + first * most_;
    product.beta = first == 0 ? 0.0f : 1.0f;
    own::multiply(card_.device, product);
  }
  launch(card_.device, system_kernel, one_each(n * n), counts, grams_.data(), bands_, sides_.data(),
         side_bands_, most_, metric, width, a_.data(), b_.data());
}

void ColumnRefit::solve(const SignumScales& scales, const PlaneCounts& counts) {
  const unsigned n = counts.unknowns();
  launch(card_.device, ridge_kernel, Grid{dim3(n), dim3(128)}, scales, counts, a_.data(), b_.data(),
         small_.data(), x_.data());
  cholesky(card_, n, small_.data(), n);
  launch(card_.device, solve_kernel, Grid{dim3(1), dim3(32), n * sizeof(double)}, small_.data(), x_.data(),
         scales, counts);
}

void ColumnRefit::cost(const SignumScales& scales, const PlaneCounts& counts, const double* y_square,
                       double* cost) {
  const unsigned n = counts.unknowns();
  launch(card_.device, cost_kernel, warps(n), scales, counts, a_.data(), b_.data(), x_.data());
  sum_parts(card_.device, x_.data(), n, y_square, cost);
}

void sum_parts(Device& device, const double* of, size_t count, const double* plus, double* sum) {
  launch(device, sum_kernel, Grid{dim3(1), dim3(256)}, of, count, plus, sum);
}

}  // namespace signum::cuda
