#include <cmath>
#include <limits>

#include "base/pool.h"
#include "math/linear_algebra.h"
#include "methods/quantize.h"

namespace signum {
namespace {

constexpr size_t kBlock = 256;

double dot(ConstView a, ConstView b, ThreadPool& pool) {
  std::vector<double> sums(a.rows);
  pool.parallel_for(a.rows, [&](size_t r) {
    double sum = 0;
    for (size_t j = 0; j < a.columns; ++j) sum += double(a(r, j)) * b(r, j);
    sums[r] = sum;
  });
  double total = 0;
  for (const double s : sums) total += s;
  return total;
}

// tr(D H D^T) for D [m, n], symmetric H [n, n]: block columns left to right, each off-diagonal block once.
double quadratic(ConstView d, const Matrix& h, ThreadPool& pool) {
  double total = 0;
  Matrix buffer(d.rows, std::min(kBlock, d.columns));
  for (size_t s = 0; s < d.columns; s += kBlock) {
    const size_t width = std::min(kBlock, d.columns - s);
    const View product = buffer.view().block(0, 0, d.rows, width);
    const ConstView here = d.block(0, s, d.rows, width);
    gemm(1, here, h.view().block(s, s, width, width), 0, product, pool);
    total += dot(here, product, pool);
    if (s == 0) continue;
    gemm(1, d.block(0, 0, d.rows, s), h.view().block(0, s, s, width), 0, product, pool);
    total += 2 * dot(here, product, pool);
  }
  return total;
}

// A layer of zeros quantized to zeros has error 0; to anything else, infinity would say nothing: 1.
double ratio(double part, double whole) { return whole > 0 ? part / whole : part > 0 ? 1.0 : 0.0; }

}  // namespace

double output_power(const Matrix& weight, const Matrix& hessian, ThreadPool& pool) {
  return quadratic(weight.view(), hessian, pool);
}

LinearErrors linear_errors(const Matrix& weight, const Matrix& decoded, const Matrix* hessian,
                           ThreadPool& pool, std::optional<double> power) {
  Matrix difference = weight.clone();
  for (size_t i = 0; i < difference.size(); ++i) difference.data()[i] -= decoded.data()[i];
  LinearErrors errors;
  errors.weight = std::sqrt(
      ratio(dot(difference.view(), difference.view(), pool), dot(weight.view(), weight.view(), pool)));
  errors.output = std::numeric_limits<double>::quiet_NaN();
  if (hessian)
    errors.output = std::sqrt(ratio(std::max(0.0, quadratic(difference.view(), *hessian, pool)),
                                    power ? *power : output_power(weight, *hessian, pool)));
  return errors;
}

}  // namespace signum
