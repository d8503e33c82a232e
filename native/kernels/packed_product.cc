#include "kernels/packed_product.h"

#include "base/pool.h"
#include "kernels/product.h"

namespace signum {
namespace {

using namespace kernels;

constexpr size_t kBandTiles = 8;

std::unique_ptr<Product> product_of(const Tensors& tensors, std::vector<float> x) {
  const Layout& layout = tensors.linear.layout;
  const bool aligned = begins_at_bytes(layout.blocksize, layout.columns);
  switch (layout.method) {
    case Method::Rtn:
    case Method::Gptq:
      return codes_product(tensors, std::move(x));
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

}  // namespace

void multiply(const PackedView& linear, const float* x, float* y, ThreadPool& pool) {
  const size_t rows = linear.layout.rows, columns = linear.layout.columns;
  std::vector<float> stored(columns);
  for (size_t j = 0; j < columns; ++j) stored[j] = x[linear.order ? (*linear.order)[j] : j];
  const auto product = product_of({linear}, std::move(stored));
  const size_t band = kBandTiles * tile_rows();
  pool.parallel_for((rows + band - 1) / band, [&](size_t index) {
    alignas(64) float sums[kBandTiles * kMaxTileRows] = {};
    const size_t first = index * band, last = std::min(rows, first + band);
    product->add(first, last, sums);
    std::memcpy(y + first, sums, (last - first) * sizeof(float));
  });
}

}  // namespace signum
