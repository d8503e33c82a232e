#include "math/linear_algebra.h"

#include <algorithm>
#include <vector>

#include "base/pool.h"
#include "math/blas.h"

namespace signum {
namespace {

// Tiles of C: large enough to amortize packing, small enough that two cores share a 512-row product evenly.
constexpr size_t kTileRows = 256;
constexpr size_t kTileColumns = 1024;
constexpr size_t kGramTile = 256;
constexpr size_t kNarrow = 8;
constexpr size_t kSolveRows = 64;

// Tiles as high as each other to within one row: the BLAS has kernels of its own for products with few rows,
// and what comes out for a row must not depend on which row of the matrix it is.
struct Tiles {
  size_t down, columns, across;
  Tiles(size_t m, size_t n, size_t tile_rows, size_t tile_columns)
      : down(std::max<size_t>(m / tile_rows, 1)),
        columns(tile_columns),
        across((n + columns - 1) / columns) {}
};

// A product whose rows are few is cut by columns instead.
Tiles product_tiles(size_t m, size_t n) {
  if (m >= 2 * kTileRows) return {m, n, kTileRows, std::max<size_t>(n, 1)};
  if (m >= 128) return {m, n, 64, kTileColumns};
  return {m, n, std::max<size_t>(m, 1), 256};
}

// C with fewer than kNarrow columns. The BLAS has kernels of its own for these too, which do not sum all rows
// in the same order.
void narrow_product(bool b_transposed, float alpha, ConstView a, ConstView b, float beta, View c,
                    ThreadPool& pool) {
  const size_t k = a.columns, n = c.columns;
  std::vector<float> across(k * n);  // B, row by row
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < n; ++j) across[i * n + j] = b_transposed ? b.row(j)[i] : b.row(i)[j];
  pool.parallel_for((c.rows + kTileRows - 1) / kTileRows, [&](size_t band) {
    for (size_t r = band * kTileRows; r < std::min(c.rows, (band + 1) * kTileRows); ++r) {
      double sums[kNarrow] = {};
      for (size_t i = 0; i < k; ++i)
        for (size_t j = 0; j < n; ++j) sums[j] += double(a.row(r)[i]) * double(across[i * n + j]);
      for (size_t j = 0; j < n; ++j)
        c.row(r)[j] = alpha * float(sums[j]) + (beta == 0 ? 0 : beta * c.row(r)[j]);
    }
  });
}

void product(bool b_transposed, size_t k, float alpha, ConstView a, ConstView b, float beta, View c,
             ThreadPool& pool) {
  if (c.rows == 0 || c.columns == 0) return;
  if (c.columns < kNarrow) return narrow_product(b_transposed, alpha, a, b, beta, c, pool);
  const Tiles tiles = product_tiles(c.rows, c.columns);
  pool.parallel_for(tiles.down * tiles.across, [&](size_t index) {
    const size_t band = index / tiles.across, i = band * c.rows / tiles.down;
    const size_t m = (band + 1) * c.rows / tiles.down - i;
    const size_t j = index % tiles.across * tiles.columns, n = std::min(tiles.columns, c.columns - j);
    const float* b_tile = b_transposed ? b.data + j * b.stride : b.data + j;
    blas::gemm(false, b_transposed, m, n, k, alpha, a.data + i * a.stride, a.stride, b_tile, b.stride, beta,
               c.data + i * c.stride + j, c.stride);
  });
}

}  // namespace

void gemm(float alpha, ConstView a, ConstView b, float beta, View c, ThreadPool& pool) {
  product(false, a.columns, alpha, a, b, beta, c, pool);
}

void gemm_transposed(float alpha, ConstView a, ConstView b, float beta, View c, ThreadPool& pool) {
  product(true, a.columns, alpha, a, b, beta, c, pool);
}

void add_gram(float alpha, ConstView x, View c, ThreadPool& pool) {
  const size_t n = x.columns, blocks = (n + kGramTile - 1) / kGramTile;
  pool.parallel_for(blocks * (blocks + 1) / 2, [&](size_t index) {
    size_t bi = 0;  // index -> (bi, bj) with bj <= bi
    while (index >= bi + 1) index -= ++bi;
    const size_t i = bi * kGramTile, j = index * kGramTile;
    const size_t rows = std::min(kGramTile, n - i), columns = std::min(kGramTile, n - j);
    float* tile = c.data + i * c.stride + j;
    blas::gemm(true, false, rows, columns, x.rows, alpha, x.data + i, x.stride, x.data + j, x.stride, 1.0f,
               tile, c.stride);
    if (i == j) {  // the product of a tile with itself need not come out symmetric to the last bit
      for (size_t r = 0; r < rows; ++r)
        for (size_t k = 0; k < r; ++k) tile[k * c.stride + r] = tile[r * c.stride + k];
    } else {
      for (size_t r = 0; r < rows; ++r)
        for (size_t k = 0; k < columns; ++k) c.data[(j + k) * c.stride + i + r] = tile[r * c.stride + k];
    }
  });
}

void add_products(float alpha, ConstView x, ConstView y, View c, ThreadPool& pool) {
  const Tiles tiles(c.rows, c.columns, kGramTile, kTileColumns);
  pool.parallel_for(tiles.down * tiles.across, [&](size_t index) {
    const size_t band = index / tiles.across, i = band * c.rows / tiles.down;
    const size_t m = (band + 1) * c.rows / tiles.down - i;
    const size_t j = index % tiles.across * tiles.columns, n = std::min(tiles.columns, c.columns - j);
    blas::gemm(true, false, m, n, x.rows, alpha, x.data + i, x.stride, y.data + j, y.stride, 1.0f,
               c.data + i * c.stride + j, c.stride);
  });
}

void divide_by_factored(ConstView r, View a, ThreadPool& pool) {
  pool.parallel_for((a.rows + kSolveRows - 1) / kSolveRows, [&](size_t band) {
    const size_t i = band * kSolveRows, rows = std::min(kSolveRows, a.rows - i);
    blas::divide_upper(true, rows, a.columns, r.data, r.stride, a.row(i), a.stride);
    blas::divide_upper(false, rows, a.columns, r.data, r.stride, a.row(i), a.stride);
  });
}

}  // namespace signum
