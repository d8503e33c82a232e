#include "kernels/banded_product.h"

#include <algorithm>

#include "base/pool.h"
#include "math/linear_algebra.h"

namespace signum::kernels {
namespace {

constexpr size_t kBandNumbers = size_t(2) << 20;
constexpr size_t kLeastRows = 256;  // so that a product is worth its packing
constexpr size_t kRowsOfTask = 16;

// Kept between products: new memory would have to be asked of the system every time.
float* thread_band(size_t count) {
  thread_local std::unique_ptr<float[], AlignedFree> band;
  thread_local size_t capacity = 0;
  if (count > capacity) {
    band = aligned_array<float>(count);
    capacity = count;
  }
  return band.get();
}

}  // namespace

void multiply_in_bands(const RowFiller& fill, ConstView x, float beta, View out, ThreadPool& pool) {
  const size_t columns = x.columns;
  const size_t band =
      std::min(out.columns, std::max(kLeastRows, kBandNumbers / std::max<size_t>(1, columns)));
  float* numbers = thread_band(band * columns);
  for (size_t first = 0; first < out.columns; first += band) {
    const size_t rows = std::min(band, out.columns - first);
    pool.parallel_for((rows + kRowsOfTask - 1) / kRowsOfTask, [&](size_t task) {
      const size_t begin = task * kRowsOfTask, count = std::min(kRowsOfTask, rows - begin);
      fill(first + begin, count, numbers + begin * columns);
    });
    gemm_transposed(1.0f, x, ConstView{numbers, rows, columns, columns}, beta,
                    out.block(0, first, out.rows, rows), pool);
  }
}

}  // namespace signum::kernels
