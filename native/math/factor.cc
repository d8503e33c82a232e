#include "math/factor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/pool.h"
#include "math/blas.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

constexpr size_t kTile = 128;
constexpr size_t kCopyTile = 64;

// Lower Cholesky factor of a row-major [n, n] matrix in place, left-looking over tiles: each tile is brought
// up to date by one long product when its column is reached. Only the lower triangle is used.
template <class T>
bool tiled_cholesky(T* a, size_t n, ThreadPool& pool) {
  std::vector<T> inverse(kTile *
                         kTile);  // of the diagonal tile: a product with it is faster than a triangular solve
  for (size_t s = 0; s < n; s += kTile) {
    const size_t width = std::min(kTile, n - s), bands = (n - s + kTile - 1) / kTile;
    T* diagonal = a + s * n + s;
    // The diagonal tile's factor is part of its task, beside the updates of the tiles below.
    bool positive = true;
    pool.parallel_for(bands, [&](size_t band) {
      const size_t i = s + band * kTile, rows = std::min(kTile, n - i);
      if (s > 0)
        blas::gemm(false, true, rows, width, s, T(-1), a + i * n, n, a + s * n, n, T(1), a + i * n + s, n);
      if (band > 0) return;
      positive = blas::cholesky(width, diagonal, n);
      for (size_t r = 0; r < width; ++r)
        for (size_t c = 0; c < width; ++c) inverse[r * kTile + c] = c <= r ? diagonal[r * n + c] : T(0);
      if (positive) blas::invert_lower(width, inverse.data(), kTile);
    });
    if (!positive) return false;
    pool.parallel_for(bands - 1, [&](size_t band) {
      const size_t i = s + (band + 1) * kTile, rows = std::min(kTile, n - i);
      std::vector<T> tile(rows * width);
      for (size_t r = 0; r < rows; ++r) std::copy_n(a + (i + r) * n + s, width, tile.data() + r * width);
      blas::gemm(false, true, rows, width, width, T(1), tile.data(), width, inverse.data(), kTile, T(0),
                 a + i * n + s, n);
    });
  }
  return true;
}

std::vector<uint32_t> descending(const std::vector<float>& diagonal) {
  std::vector<uint32_t> order(diagonal.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return diagonal[a] > diagonal[b]; });
  return order;
}

// out[i, j] for j <= i: the symmetric part of H, permuted and reversed, with the damped diagonal; tile by
// tile, so that the transposed half is read from the cache.
template <class T>
void copy_reversed(const Matrix& h, const std::vector<float>& diagonal, const std::vector<uint32_t>* order,
                   T damp, T* out, ThreadPool& pool) {
  const size_t n = h.rows(), bands = (n + kCopyTile - 1) / kCopyTile;
  const auto source = [&](size_t i) { return order ? size_t((*order)[n - 1 - i]) : n - 1 - i; };
  pool.parallel_for(bands * (bands + 1) / 2, [&](size_t index) {
    size_t bi = 0;
    while (index >= bi + 1) index -= ++bi;
    const size_t i_end = std::min(n, (bi + 1) * kCopyTile), j_begin = index * kCopyTile;
    for (size_t i = bi * kCopyTile; i < i_end; ++i) {
      const size_t row = source(i), j_end = std::min(j_begin + kCopyTile, i);
      for (size_t j = j_begin; j < j_end; ++j) {
        const size_t column = source(j);
        out[i * n + j] = (T(h(row, column)) + T(h(column, row))) * T(0.5);
      }
      if (i >= j_begin && i < j_begin + kCopyTile) out[i * n + i] = T(diagonal[row]) + damp;
    }
  });
}

// Factors P (H + damp I) P^T reversed, so that its lower factor is R reversed. False when not positive
// definite.
template <class T>
bool factor_once(const Matrix& h, const std::vector<float>& diagonal, const std::vector<uint32_t>* order,
                 double damp, Matrix& r, ThreadPool& pool) {
  const size_t n = h.rows();
  auto buffer = aligned_array<T>(n * n);
  copy_reversed(h, diagonal, order, T(damp), buffer.get(), pool);
  if (!tiled_cholesky(buffer.get(), n, pool)) return false;
  r = Matrix::uninitialized(n, n);
  pool.parallel_for((n + kCopyTile - 1) / kCopyTile, [&](size_t band) {
    for (size_t i = band * kCopyTile; i < std::min(n, (band + 1) * kCopyTile); ++i) {
      const T* from = buffer.get() + (n - 1 - i) * n;
      float* to = r.row(i);
      for (size_t j = 0; j < i; ++j) to[j] = 0;
      for (size_t j = i; j < n; ++j) to[j] = float(from[n - 1 - j]);
    }
  });
  for (size_t i = 0; i < n; ++i)
    if (!std::isfinite(r(i, i)) || r(i, i) <= 0) return false;
  return true;
}

}  // namespace

Result<Factor> factorize(const Matrix& hessian, const FactorOptions& options, ThreadPool& pool) {
  const size_t n = hessian.rows();
  std::vector<float> diagonal(n);
  for (size_t i = 0; i < n; ++i) diagonal[i] = hessian(i, i);
  if (!all_finite(hessian.view(), pool))
    return Error{"calibration_not_finite", "The Hessian holds NaN or infinity.", ""};

  Factor factor;
  factor.dead.assign(n, 0);
  size_t dead = 0;
  for (size_t i = 0; i < n; ++i)
    if (diagonal[i] == 0) {
      diagonal[i] = 1;
      factor.dead[i] = 1;
      ++dead;
    }
  if (dead == n && n > 0) {  // an input that is never seen: keep the weights, treat all columns alike
    factor.notes.push_back("no calibration input reached this layer: its Hessian was taken as the identity");
    factor.dead.assign(n, 0);
  }

  if (options.descending_order) {
    auto order = std::make_shared<std::vector<uint32_t>>(descending(diagonal));
    std::vector<uint8_t> dead_in_order(n);
    for (size_t i = 0; i < n; ++i) dead_in_order[i] = factor.dead[(*order)[i]];
    factor.dead = std::move(dead_in_order);
    factor.order = std::move(order);
  }

  double mean = 0;
  for (const float d : diagonal) mean += d;
  mean /= double(std::max<size_t>(n, 1));
  double damping = options.damping;
  if (factor_once<float>(hessian, diagonal, factor.order.get(), damping * mean, factor.r, pool)) {
    factor.damping_used = damping;
    return factor;
  }
  for (int raise = 0; raise <= 3; ++raise, damping *= 10) {
    if (!factor_once<double>(hessian, diagonal, factor.order.get(), damping * mean, factor.r, pool)) continue;
    factor.damping_used = damping;
    factor.notes.push_back(raise == 0 ? "the Hessian was factored in F64: F32 was not enough"
                                      : "damping was raised to " + std::to_string(damping) +
                                            " of the mean diagonal to factor the Hessian");
    return factor;
  }
  return Error{"factor_failed",
               "The Hessian could not be factored, even with the damping raised a thousand times.", ""};
}

}  // namespace signum
