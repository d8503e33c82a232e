#include "kernels/packed_product.h"

#include "base/pool.h"
#include "kernels/banded_product.h"
#include "kernels/product.h"
#include "math/linear_algebra.h"

namespace signum {
namespace {

using namespace kernels;

constexpr size_t kBandTiles = 128;  // most that one task adds up
constexpr size_t kFewTokens = 4;    // from more on, decoding a row costs less than looking it up for each

std::unique_ptr<Product> product_of(const Tensors& tensors, std::vector<float> x) {
  const Layout& layout = tensors.linear.layout;
  const bool aligned = begins_at_bytes(layout.blocksize, layout.columns);
  switch (layout.method) {
    case Method::Rtn:
    case Method::Gptq:
      return codes_product(tensors, x);
    case Method::PbLlm:
      return pb_llm_product(tensors, std::move(x));
    case Method::Fdb:
      if (begins_at_bytes(layout.group, layout.columns)) return fdb_product(tensors, x);
      break;
    case Method::SignumRc:
      if (aligned) return signum_rc_product(tensors, x);
      break;
    case Method::BiLLM:
    case Method::Arb:
    case Method::ArbX:
    case Method::ArbRc:
      if (aligned && layout.splits == 1) return grouped_product(tensors, x);
      break;
  }
  return decoded_product(tensors, std::move(x));
}

// y [rows] += W x, x by stored column.
void add_vector(const PackedView& linear, std::vector<float> x, float* y, ThreadPool& pool) {
  const size_t rows = linear.layout.rows, tiles = (rows + tile_rows() - 1) / tile_rows();
  const auto product = product_of({linear, pool}, std::move(x));
  // Tiles one after another are read ahead: every thread gets one band of them.
  const size_t band_tiles = std::min((tiles + pool.threads() - 1) / pool.threads(), kBandTiles);
  const size_t band = band_tiles * tile_rows();
  pool.parallel_for((rows + band - 1) / band, [&](size_t index) {
    alignas(64) float sums[kBandTiles * kMaxTileRows] = {};
    const size_t first = index * band, last = std::min(rows, first + band);
    product->add(first, last, sums);
    for (size_t i = first; i < last; ++i) y[i] += sums[i - first];
  });
}

void multiply_decoded(const PackedView& linear, ConstView x, float beta, View out, ThreadPool& pool) {
  const auto fill = [&, decode_row = row_decoder(linear)](size_t first, size_t count, float* rows) {
    for (size_t i = 0; i < count; ++i) decode_row(first + i, rows + i * x.columns);
  };
  multiply_in_bands(fill, x, beta, out, pool);
}

}  // namespace

void multiply(const PackedView& linear, ConstView x, float beta, View out, ThreadPool& pool) {
  const auto column = [&](size_t j) { return linear.order ? (*linear.order)[j] : j; };
  if (x.rows <= kFewTokens) {
    for (size_t t = 0; t < x.rows; ++t) {
      std::vector<float> stored(x.columns);
      for (size_t j = 0; j < x.columns; ++j) stored[j] = x(t, column(j));
      for (size_t i = 0; i < out.columns; ++i) out(t, i) = beta == 0.0f ? 0.0f : beta * out(t, i);
      add_vector(linear, std::move(stored), out.row(t), pool);
    }
    return;
  }
  if (!linear.order) return multiply_decoded(linear, x, beta, out, pool);
  Matrix stored(x.rows, x.columns);
  pool.parallel_for(x.rows, [&](size_t t) {
    for (size_t j = 0; j < x.columns; ++j) stored(t, j) = x(t, column(j));
  });
  multiply_decoded(linear, stored.view(), beta, out, pool);
}

}  // namespace signum
