#include "kernels/packed_product.h"

#include <algorithm>

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

// Some rows of one product.
struct Band {
  const Product* product;
  size_t first, last;
  float* y;  // of the product's row 0
};

// Tiles one after another are read ahead: bands are as long as leaves one for every thread.
std::vector<Band> bands_of(std::span<const PackedPart> parts,
                           const std::vector<std::unique_ptr<Product>>& products, size_t token,
                           size_t threads) {
  size_t rows = 0;
  for (const PackedPart& part : parts) rows += part.out.columns;
  const size_t tiles = (rows + tile_rows() - 1) / tile_rows();
  const size_t band = std::min((tiles + threads - 1) / threads, kBandTiles) * tile_rows();
  std::vector<Band> bands;
  for (size_t i = 0; i < parts.size(); ++i)
    for (size_t first = 0; first < parts[i].out.columns; first += band)
      bands.push_back(
          {products[i].get(), first, std::min(first + band, parts[i].out.columns), parts[i].out.row(token)});
  return bands;
}

std::vector<float> by_stored_column(const PackedView& linear, const float* x) {
  const size_t columns = linear.layout.columns;
  std::vector<float> stored(x, x + columns);
  if (linear.order)
    for (size_t j = 0; j < columns; ++j) stored[j] = x[(*linear.order)[j]];
  return stored;
}

void multiply_token(std::span<const PackedPart> parts, const float* x, float beta, size_t token,
                    ThreadPool& pool) {
  std::vector<std::unique_ptr<Product>> products(parts.size());
  pool.parallel_for(parts.size(), [&](size_t i) {
    const PackedView& linear = *parts[i].linear;
    products[i] = product_of({linear, pool}, by_stored_column(linear, x));
  });
  const std::vector<Band> bands = bands_of(parts, products, token, pool.threads());
  pool.parallel_for(bands.size(), [&](size_t index) {
    const Band& band = bands[index];
    alignas(64) float sums[kBandTiles * kMaxTileRows];
    std::fill_n(sums, (band.last - band.first + tile_rows() - 1) / tile_rows() * tile_rows(), 0.0f);
    band.product->add(band.first, band.last, sums);
    for (size_t i = band.first; i < band.last; ++i)
      band.y[i] = sums[i - band.first] + (beta == 0.0f ? 0.0f : beta * band.y[i]);
  });
}

void multiply_decoded(const PackedView& linear, ConstView x, float beta, View out, ThreadPool& pool) {
  const auto fill = [&, decode_row = row_decoder(linear)](size_t first, size_t count, float* rows) {
    for (size_t i = 0; i < count; ++i) decode_row(first + i, rows + i * x.columns);
  };
  multiply_in_bands(fill, x, beta, out, pool);
}

void multiply_many(const PackedView& linear, ConstView x, float beta, View out, ThreadPool& pool) {
  if (!linear.order) return multiply_decoded(linear, x, beta, out, pool);
  Matrix stored(x.rows, x.columns);
  pool.parallel_for(x.rows, [&](size_t t) {
    for (size_t j = 0; j < x.columns; ++j) stored(t, j) = x(t, (*linear.order)[j]);
  });
  multiply_decoded(linear, stored.view(), beta, out, pool);
}

}  // namespace

void multiply(std::span<const PackedPart> parts, ConstView x, float beta, ThreadPool& pool) {
  if (x.rows <= kFewTokens)
    for (size_t t = 0; t < x.rows; ++t) multiply_token(parts, x.row(t), beta, t, pool);
  else
    for (const PackedPart& part : parts) multiply_many(*part.linear, x, beta, part.out, pool);
}

void multiply(const PackedView& linear, ConstView x, float beta, View out, ThreadPool& pool) {
  const PackedPart part{&linear, out};
  multiply(std::span(&part, 1), x, beta, pool);
}

}  // namespace signum
