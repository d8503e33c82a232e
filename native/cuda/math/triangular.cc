#include "cuda/math/triangular.h"

#include <algorithm>

#include "cuda/math/elementwise.h"
#include "cuda/math/gemm.h"
#include "cuda/math/library_products.h"
#include "cuda/math/triangular_tiles.h"

namespace signum::cuda {
namespace {

constexpr size_t kTile = own::kTriangle;
constexpr size_t kPanel = 256;  // columns whose updates reach the rest of the matrix together
constexpr size_t kDivision = 128;

// inv [A B; 0 D] = [A' -A' B D'; 0 D'], from tiles to pairs of tiles and on, for `count` blocks of one width
// whose first row is `first`.
void join_tiles(Card& card, DeviceView<const float> r, DeviceView<float> u, DeviceView<float> room,
                size_t first, size_t count, size_t blocksize, size_t width) {
  for (size_t half = own::kInverse; half < width; half *= 2)
    for (size_t at = 0; at + half < width; at += 2 * half) {
      const size_t right = std::min(half, width - at - half);
      const auto b = r.block(first + at, first + at + half, half, right);
      const auto a_inverse = u.block(first + at, at, half, half);
      const auto d_inverse = u.block(first + at + half, at + half, right, right);
      const auto out = u.block(first + at, at + half, half, right);
      const size_t step = blocksize * u.stride;
      card.blas.gemm_batched({count, blocksize * (r.stride + 1), step, blocksize * room.stride}, false, false,
                             half, right, right, 1, b.data, b.stride, d_inverse.data, d_inverse.stride, 0,
                             room.data, room.stride);
      card.blas.gemm_batched({count, step, blocksize * room.stride, step}, false, false, half, right, half,
                             -1, a_inverse.data, a_inverse.stride, room.data, room.stride, 0, out.data,
                             out.stride);
    }
}

// Right-looking: a panel is factored tile by tile, then what lies to the right of it is brought up to date.
template <class T>
void tiled_cholesky(Device& device, size_t n, T* a, size_t lda) {
  const auto at = [&](size_t i, size_t j) { return a + i * lda + j; };
  for (size_t p = 0; p < n; p += kPanel) {
    const size_t panel_end = std::min(n, p + kPanel);
    for (size_t s = p; s < panel_end; s += kTile) {
      const size_t end = std::min(n, s + kTile), width = end - s;
      own::factor_tile(device, width, at(s, s), lda);
      own::divide_by_tile(device, n - end, width, at(s, s), lda, at(end, s), lda);
      if (end == panel_end) continue;
      own::Product<T, T> update;  // F32 or F64, whatever the precision of Blas
      update.b_transposed = true;
      update.m = n - end;
      update.n = panel_end - end;
      update.k = width;
      update.alpha = -1;
      update.a = update.b = at(end, s);
      update.lda = update.ldb = update.ldc = lda;
      update.beta = 1;
      update.c = at(end, end);
      own::multiply(device, update);
    }
    if (panel_end < n)
      own::add_gram(device, false, n - panel_end, panel_end - p, T(-1), at(panel_end, p), lda,
                    at(panel_end, panel_end), lda, false);
  }
}

}  // namespace

void invert_upper_blocks(Card& card, DeviceView<const float> r, size_t blocksize, DeviceView<float> u) {
  const size_t n = r.rows;
  if (n == 0) return;
  own::invert_tiles(card.device, r, blocksize, u);
  if (blocksize <= own::kInverse || n <= own::kInverse) return;
  const DeviceMatrix room(card.device, n, std::min(blocksize, n), "inverting the factor's blocks");
  const size_t full = n / blocksize, rest = n % blocksize;
  if (full > 0) join_tiles(card, r, u, room.view(), 0, full, blocksize, blocksize);
  if (rest > 0) join_tiles(card, r, u, room.view(), full * blocksize, 1, blocksize, rest);
}

void divide_by_factored(Card& card, DeviceView<const float> r, DeviceView<float> a) {
  const size_t m = a.rows, n = a.columns;
  if (m == 0 || n == 0) return;
  const DeviceMatrix inverses(card.device, n, kDivision, "dividing by the factor");
  const DeviceMatrix room(card.device, m, kDivision, "dividing by the factor");
  const DeviceView<float> u = inverses.view();
  invert_upper_blocks(card, r, kDivision, u);
  const auto divide = [&](size_t s, size_t width, bool transposed) {
    // A_t less what the finished columns give, times U_t or U_t^T.
    const auto here = a.block(0, s, m, width), product = room.view().block(0, 0, m, width);
    if (transposed && s + width < n)
      card.blas.gemm(false, true, m, width, n - s - width, -1.0f, a.data + s + width, a.stride,
                     r.data + s * r.stride + s + width, r.stride, 1, here.data, here.stride);
    if (!transposed && s > 0)
      card.blas.gemm(false, false, m, width, s, -1.0f, a.data, a.stride, r.data + s, r.stride, 1, here.data,
                     here.stride);
    card.blas.gemm(false, transposed, m, width, width, 1.0f, here.data, here.stride, u.data + s * u.stride,
                   u.stride, 0, product.data, product.stride);
    copy(card.device, product, here);
  };
  for (size_t t = (n + kDivision - 1) / kDivision; t-- > 0;)
    divide(t * kDivision, std::min(kDivision, n - t * kDivision), true);
  for (size_t s = 0; s < n; s += kDivision) divide(s, std::min(kDivision, n - s), false);
}

void cholesky(Card& card, size_t n, float* a, size_t lda) {
  if (LibraryProducts* library = card.blas.library(); library && library->cholesky(n, a, lda)) return;
  tiled_cholesky(card.device, n, a, lda);
}
void cholesky(Card& card, size_t n, double* a, size_t lda) {
  if (LibraryProducts* library = card.blas.library(); library && library->cholesky(n, a, lda)) return;
  tiled_cholesky(card.device, n, a, lda);
}

}  // namespace signum::cuda
