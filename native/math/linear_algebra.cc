#include "math/linear_algebra.h"

#include <cblas.h>

#include <algorithm>

#include "base/pool.h"
#include "math/blas.h"

namespace signum {
namespace {

// Tiles of C: large enough to amortize packing, small enough that two cores share a 512-row product evenly.
constexpr size_t kTileRows = 256;
constexpr size_t kTileColumns = 1024;
constexpr size_t kGramTile = 256;

struct Tiles {
  size_t rows, columns, down, across;
  Tiles(size_t m, size_t n, size_t tile_rows, size_t tile_columns)
      : rows(tile_rows),
        columns(tile_columns),
        down((m + rows - 1) / rows),
        across((n + columns - 1) / columns) {}
};

// A product whose rows are few is cut by columns instead.
Tiles product_tiles(size_t m, size_t n) {
  if (m >= 2 * kTileRows) return {m, n, kTileRows, std::max<size_t>(n, 1)};
  if (m >= 128) return {m, n, 64, kTileColumns};
  return {m, n, std::max<size_t>(m, 1), 256};
}

void product(bool b_transposed, size_t k, float alpha, ConstView a, ConstView b, float beta, View c,
             ThreadPool& pool) {
  if (c.rows == 0 || c.columns == 0) return;
  const Tiles tiles = product_tiles(c.rows, c.columns);
  pool.parallel_for(tiles.down * tiles.across, [&](size_t index) {
    const size_t i = index / tiles.across * tiles.rows, j = index % tiles.across * tiles.columns;
    const size_t m = std::min(tiles.rows, c.rows - i), n = std::min(tiles.columns, c.columns - j);
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

const char* blas_core_name() { return openblas_get_corename(); }

}  // namespace signum
