#include "math/factor.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/pool.h"
#include "math/blas.h"
#include "math/factor_plan.h"
#include "math/finite.h"

namespace signum {
namespace {

constexpr size_t kPanel = 512;
constexpr size_t kPanelRows = 256;
constexpr size_t kTile = 128;
constexpr size_t kCopyRows = 64;

// Columns [begin, end) of the panel of rows [begin, n), whose updates from columns before `begin` are done:
// left-looking over tiles.
template <class T>
bool panel_cholesky(T* a, size_t n, size_t begin, size_t end, ThreadPool& pool) {
  std::vector<T> inverse(kTile *
                         kTile);  // of the diagonal tile: a product with it is faster than a triangular solve
  for (size_t s = begin; s < end; s += kTile) {
    const size_t width = std::min(kTile, end - s), bands = (n - s + kTile - 1) / kTile;
    T* diagonal = a + s * n + s;
    // The diagonal tile's factor is part of its task, beside the updates of the tiles below.
    bool positive = true;
    pool.parallel_for(bands, [&](size_t band) {
      const size_t i = s + band * kTile, rows = std::min(kTile, n - i);
      if (s > begin)
        blas::gemm(false, true, rows, width, s - begin, T(-1), a + i * n + begin, n, a + s * n + begin, n,
                   T(1), a + i * n + s, n);
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

// Lower Cholesky factor of a row-major [n, n] matrix in place: each panel is brought up to date by long, wide
// products when it is reached. Only the lower triangle counts; what stands above it inside a panel is
// overwritten.
template <class T>
bool tiled_cholesky(T* a, size_t n, ThreadPool& pool) {
  for (size_t p = 0; p < n; p += kPanel) {
    const size_t width = std::min(kPanel, n - p);
    if (p > 0)
      pool.parallel_for((n - p + kPanelRows - 1) / kPanelRows, [&](size_t band) {
        const size_t i = p + band * kPanelRows, rows = std::min(kPanelRows, n - i);
        blas::gemm(false, true, rows, width, p, T(-1), a + i * n, n, a + p * n, n, T(1), a + i * n + p, n);
      });
    if (!panel_cholesky(a, n, p, p + width, pool)) return false;
  }
  return true;
}

// out[i, j] for j <= i: H permuted and reversed, with the damped diagonal.
template <class T>
void copy_reversed(const Matrix& h, const std::vector<float>& diagonal, const std::vector<uint32_t>* order,
                   T damp, T* out, ThreadPool& pool) {
  const size_t n = h.rows();
  pool.parallel_for((n + kCopyRows - 1) / kCopyRows, [&](size_t band) {
    for (size_t i = band * kCopyRows; i < std::min(n, (band + 1) * kCopyRows); ++i) {
      const size_t row = order ? (*order)[n - 1 - i] : n - 1 - i;
      const float* from = h.row(row);
      T* to = out + i * n;
      if (order)
        for (size_t j = 0; j < i; ++j) to[j] = T(from[(*order)[n - 1 - j]]);
      else
        for (size_t j = 0; j < i; ++j) to[j] = T(from[n - 1 - j]);
      to[i] = T(diagonal[row]) + damp;
    }
  });
}

// r = the lower factor L [n, n] with rows and columns reversed, zeros below the diagonal. L may lie in r
// itself: rows i and n - 1 - i trade places.
template <class T>
void reverse_factor(const T* l, Matrix& r, ThreadPool& pool) {
  const size_t n = r.rows();
  pool.parallel_for((n + 1) / 2, [&](size_t i) {
    const size_t mirror = n - 1 - i;
    const std::vector<T> upper(l + i * n, l + i * n + i + 1),
        lower(l + mirror * n, l + mirror * n + mirror + 1);
    const auto write = [&](size_t row, const std::vector<T>& reversed) {
      float* to = r.row(row);
      std::fill_n(to, row, 0.0f);
      for (size_t j = row; j < n; ++j) to[j] = float(reversed[n - 1 - j]);
    };
    write(mirror, upper);
    write(i, lower);
  });
}

// Factors P (H + damp I) P^T reversed, so that its lower factor is R reversed. False when not positive
// definite.
template <class T>
bool factor_once(const Matrix& h, const std::vector<float>& diagonal, const std::vector<uint32_t>* order,
                 double damp, Matrix& r, ThreadPool& pool) {
  const size_t n = h.rows();
  r = Matrix::uninitialized(n, n);
  std::unique_ptr<T[], AlignedFree> own;  // F32 works in R's own place
  T* a;
  if constexpr (std::is_same_v<T, float>) {
    a = r.data();
  } else {
    own = aligned_array<T>(n * n);
    a = own.get();
  }
  copy_reversed(h, diagonal, order, T(damp), a, pool);
  if (!tiled_cholesky(a, n, pool)) return false;
  reverse_factor(a, r, pool);
  for (size_t i = 0; i < n; ++i)
    if (!std::isfinite(r(i, i)) || r(i, i) <= 0) return false;
  return true;
}

std::vector<Matrix> diagonal_blocks(const Matrix& h, const std::vector<uint32_t>* order, size_t width,
                                    bool identity) {
  const size_t n = h.rows();
  std::vector<Matrix> blocks;
  for (size_t s = 0; s < n; s += width) {
    Matrix block(std::min(width, n - s), std::min(width, n - s));
    for (size_t i = 0; i < block.rows(); ++i)
      for (size_t j = 0; j < block.columns(); ++j)
        block(i, j) = identity ? float(i == j)
                      : order  ? h((*order)[s + i], (*order)[s + j])
                               : h(s + i, s + j);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

}  // namespace

Result<Factor> factorize(const Matrix& hessian, const FactorOptions& options, ThreadPool& pool) {
  const size_t n = hessian.rows();
  std::vector<float> diagonal(n);
  for (size_t i = 0; i < n; ++i) diagonal[i] = hessian(i, i);
  if (!all_finite(hessian.view(), pool))
    return Error{"calibration_not_finite", "The Hessian holds NaN or infinity.", ""};

  FactorPlan plan = plan_factor(std::move(diagonal), options);
  Factor factor;
  factor.dead = std::move(plan.dead);
  factor.order = std::move(plan.order);
  factor.diagonal = std::move(plan.stored_diagonal);
  factor.notes = std::move(plan.notes);
  if (options.diagonal_only) return factor;

  const std::vector<uint32_t>* order = factor.order.get();
  if (options.keep_blocks > 0)
    factor.blocks = diagonal_blocks(hessian, order, options.keep_blocks, plan.identity);

  const auto attempt = [&](bool f64, double damping) {
    const double damp = damping * plan.mean;
    return f64 ? factor_once<double>(hessian, plan.diagonal, order, damp, factor.r, pool)
               : factor_once<float>(hessian, plan.diagonal, order, damp, factor.r, pool);
  };
  if (auto climbed = climb_damping(options.damping, attempt, &factor.damping_used, &factor.notes);
      !climbed.ok())
    return climbed.error();
  return factor;
}

}  // namespace signum
